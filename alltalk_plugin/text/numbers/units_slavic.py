"""Units in the Slavic languages: names, gender, then the forms after 1, 2 to 4 and 5, and after decimals.

Letters that are words of their own there (Russian с, г, в) are left alone.
"""

from __future__ import annotations

UNITS = {
    "ru": """
        км,km m километр|километра|километров
        м m метр|метра|метров
        см,cm m сантиметр|сантиметра|сантиметров
        мм,mm m миллиметр|миллиметра|миллиметров
        км/ч,km/h m километр в час|километра в час|километров в час
        м/с m метр в секунду|метра в секунду|метров в секунду
        км²,км2 m квадратный километр|квадратных километра|квадратных километров
        м²,м2 m квадратный метр|квадратных метра|квадратных метров
        м³,м3 m кубический метр|кубических метра|кубических метров
        га m гектар|гектара|гектаров
        кг,kg m килограмм|килограмма|килограммов
        мг m миллиграмм|миллиграмма|миллиграммов
        л m литр|литра|литров
        мл,ml m миллилитр|миллилитра|миллилитров
        °C,°С m градус Цельсия|градуса Цельсия|градусов Цельсия
        °F m градус Фаренгейта|градуса Фаренгейта|градусов Фаренгейта
        ° m градус|градуса|градусов
        % m процент|процента|процентов
        кВт m киловатт|киловатта|киловатт
        ГГц m гигагерц|гигагерца|гигагерц
        МГц m мегагерц|мегагерца|мегагерц
        МБ m мегабайт|мегабайта|мегабайт
        ГБ,Гб m гигабайт|гигабайта|гигабайт
        ТБ m терабайт|терабайта|терабайт
        мин f минута|минуты|минут
        сек f секунда|секунды|секунд
        ч m час|часа|часов
    """,
    "uk": """
        км,km m кілометр|кілометри|кілометрів|кілометра
        м m метр|метри|метрів|метра
        см,cm m сантиметр|сантиметри|сантиметрів|сантиметра
        мм,mm m міліметр|міліметри|міліметрів|міліметра
        км/год,km/h m кілометр на годину|кілометри на годину|кілометрів на годину|кілометра на годину
        м/с m метр на секунду|метри на секунду|метрів на секунду|метра на секунду
        м²,м2 m квадратний метр|квадратні метри|квадратних метрів|квадратного метра
        га m гектар|гектари|гектарів|гектара
        кг,kg m кілограм|кілограми|кілограмів|кілограма
        мг m міліграм|міліграми|міліграмів|міліграма
        л m літр|літри|літрів|літра
        мл,ml m мілілітр|мілілітри|мілілітрів|мілілітра
        °C,°С m градус Цельсія|градуси Цельсія|градусів Цельсія|градуса Цельсія
        ° m градус|градуси|градусів|градуса
        % m відсоток|відсотки|відсотків|відсотка
        кВт m кіловат|кіловати|кіловатів|кіловата
        МБ m мегабайт|мегабайти|мегабайтів|мегабайта
        ГБ m гігабайт|гігабайти|гігабайтів|гігабайта
        хв f хвилина|хвилини|хвилин|хвилини
        сек f секунда|секунди|секунд|секунди
    """,
    "pl": """
        km m kilometr|kilometry|kilometrów|kilometra
        m m metr|metry|metrów|metra
        cm m centymetr|centymetry|centymetrów|centymetra
        mm m milimetr|milimetry|milimetrów|milimetra
        km/h m kilometr na godzinę|kilometry na godzinę|kilometrów na godzinę|kilometra na godzinę
        m/s m metr na sekundę|metry na sekundę|metrów na sekundę|metra na sekundę
        km²,km2 m kilometr kwadratowy|kilometry kwadratowe|kilometrów kwadratowych|kilometra kwadratowego
        m²,m2 m metr kwadratowy|metry kwadratowe|metrów kwadratowych|metra kwadratowego
        m³,m3 m metr sześcienny|metry sześcienne|metrów sześciennych|metra sześciennego
        ha m hektar|hektary|hektarów|hektara
        kg m kilogram|kilogramy|kilogramów|kilograma
        dag,dkg m dekagram|dekagramy|dekagramów|dekagrama
        g m gram|gramy|gramów|grama
        mg m miligram|miligramy|miligramów|miligrama
        t f tona|tony|ton|tony
        l,L m litr|litry|litrów|litra
        ml m mililitr|mililitry|mililitrów|mililitra
        °C m stopień Celsjusza|stopnie Celsjusza|stopni Celsjusza|stopnia Celsjusza
        ° m stopień|stopnie|stopni|stopnia
        % m procent|procent|procent|procent
        kWh f kilowatogodzina|kilowatogodziny|kilowatogodzin|kilowatogodziny
        kW m kilowat|kilowaty|kilowatów|kilowata
        W m wat|waty|watów|wata
        V m wolt|wolty|woltów|wolta
        MB m megabajt|megabajty|megabajtów|megabajta
        GB m gigabajt|gigabajty|gigabajtów|gigabajta
        TB m terabajt|terabajty|terabajtów|terabajta
        godz. f godzina|godziny|godzin|godziny
        min,min. f minuta|minuty|minut|minuty
        sek.,sek f sekunda|sekundy|sekund|sekundy
    """,
    "cs": """
        km m kilometr|kilometry|kilometrů|kilometru
        m m metr|metry|metrů|metru
        cm m centimetr|centimetry|centimetrů|centimetru
        mm m milimetr|milimetry|milimetrů|milimetru
        km/h m kilometr za hodinu|kilometry za hodinu|kilometrů za hodinu|kilometru za hodinu
        m/s m metr za sekundu|metry za sekundu|metrů za sekundu|metru za sekundu
        km²,km2 m kilometr čtvereční|kilometry čtvereční|kilometrů čtverečních|kilometru čtverečního
        m²,m2 m metr čtvereční|metry čtvereční|metrů čtverečních|metru čtverečního
        m³,m3 m metr krychlový|metry krychlové|metrů krychlových|metru krychlového
        ha m hektar|hektary|hektarů|hektaru
        kg m kilogram|kilogramy|kilogramů|kilogramu
        dkg m dekagram|dekagramy|dekagramů|dekagramu
        g m gram|gramy|gramů|gramu
        mg m miligram|miligramy|miligramů|miligramu
        t f tuna|tuny|tun|tuny
        l m litr|litry|litrů|litru
        ml m mililitr|mililitry|mililitrů|mililitru
        °C m stupeň Celsia|stupně Celsia|stupňů Celsia|stupně Celsia
        ° m stupeň|stupně|stupňů|stupně
        % n procento|procenta|procent|procenta
        kWh f kilowatthodina|kilowatthodiny|kilowatthodin|kilowatthodiny
        kW m kilowatt|kilowatty|kilowattů|kilowattu
        W m watt|watty|wattů|wattu
        V m volt|volty|voltů|voltu
        MB m megabajt|megabajty|megabajtů|megabajtu
        GB m gigabajt|gigabajty|gigabajtů|gigabajtu
        TB m terabajt|terabajty|terabajtů|terabajtu
        hod,hod. f hodina|hodiny|hodin|hodiny
        min,min. f minuta|minuty|minut|minuty
        sek,sek. f sekunda|sekundy|sekund|sekundy
    """,
}
