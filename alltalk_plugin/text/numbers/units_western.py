"""Units in the Germanic and Romance languages: names, gender, singular|plural."""

from __future__ import annotations

UNITS = {
    "en": """
        km - kilometer|kilometers
        m - meter|meters
        cm - centimeter|centimeters
        mm - millimeter|millimeters
        km/h,kph,kmh - kilometer per hour|kilometers per hour
        m/s - meter per second|meters per second
        mph - mile per hour|miles per hour
        mi - mile|miles
        ft - foot|feet
        lb,lbs - pound|pounds
        oz - ounce|ounces
        km²,km2 - square kilometer|square kilometers
        m²,m2,sqm - square meter|square meters
        cm² - square centimeter|square centimeters
        m³,m3 - cubic meter|cubic meters
        cm³ - cubic centimeter|cubic centimeters
        ha - hectare|hectares
        kg - kilogram|kilograms
        g - gram|grams
        mg - milligram|milligrams
        l,L - liter|liters
        ml,mL - milliliter|milliliters
        cl - centiliter|centiliters
        °C - degree Celsius|degrees Celsius
        °F - degree Fahrenheit|degrees Fahrenheit
        ° - degree|degrees
        % - percent
        ‰ - per mille
        kWh - kilowatt hour|kilowatt hours
        kW - kilowatt|kilowatts
        MW - megawatt|megawatts
        W - watt|watts
        V - volt|volts
        Hz - hertz
        kHz - kilohertz
        MHz - megahertz
        GHz - gigahertz
        kB,KB - kilobyte|kilobytes
        MB - megabyte|megabytes
        GB - gigabyte|gigabytes
        TB - terabyte|terabytes
        h,hr,hrs - hour|hours
        min,mins - minute|minutes
        s,sec,secs - second|seconds
        ms - millisecond|milliseconds
        am,a.m.,AM - a m
        pm,p.m.,PM - p m
    """,
    "de": """
        km m Kilometer|Kilometer
        m m Meter|Meter
        cm m Zentimeter|Zentimeter
        mm m Millimeter|Millimeter
        km/h m Kilometer pro Stunde|Kilometer pro Stunde
        m/s m Meter pro Sekunde|Meter pro Sekunde
        km²,km2 m Quadratkilometer|Quadratkilometer
        m²,m2,qm m Quadratmeter|Quadratmeter
        cm² m Quadratzentimeter|Quadratzentimeter
        m³,m3 m Kubikmeter|Kubikmeter
        cm³ m Kubikzentimeter|Kubikzentimeter
        ha n Hektar|Hektar
        kg n Kilogramm|Kilogramm
        g n Gramm|Gramm
        mg n Milligramm|Milligramm
        t f Tonne|Tonnen
        l,L m Liter|Liter
        ml m Milliliter|Milliliter
        cl m Zentiliter|Zentiliter
        °C n Grad Celsius|Grad Celsius
        °F n Grad Fahrenheit|Grad Fahrenheit
        ° n Grad|Grad
        % n Prozent|Prozent
        ‰ n Promille|Promille
        kWh f Kilowattstunde|Kilowattstunden
        kW n Kilowatt|Kilowatt
        MW n Megawatt|Megawatt
        W n Watt|Watt
        V n Volt|Volt
        Hz n Hertz|Hertz
        kHz n Kilohertz|Kilohertz
        MHz n Megahertz|Megahertz
        GHz n Gigahertz|Gigahertz
        kB,KB n Kilobyte|Kilobyte
        MB n Megabyte|Megabyte
        GB n Gigabyte|Gigabyte
        TB n Terabyte|Terabyte
        h,Std,Std. f Stunde|Stunden
        min,Min,Min. f Minute|Minuten
        s,Sek,Sek. f Sekunde|Sekunden
        ms f Millisekunde|Millisekunden
    """,
    "fr": """
        km m kilomètre|kilomètres
        m m mètre|mètres
        cm m centimètre|centimètres
        mm m millimètre|millimètres
        km/h m kilomètre à l'heure|kilomètres à l'heure
        m/s m mètre par seconde|mètres par seconde
        km²,km2 m kilomètre carré|kilomètres carrés
        m²,m2 m mètre carré|mètres carrés
        cm² m centimètre carré|centimètres carrés
        m³,m3 m mètre cube|mètres cubes
        cm³ m centimètre cube|centimètres cubes
        ha m hectare|hectares
        kg m kilogramme|kilogrammes
        g m gramme|grammes
        mg m milligramme|milligrammes
        t f tonne|tonnes
        l,L m litre|litres
        ml m millilitre|millilitres
        cl m centilitre|centilitres
        °C m degré Celsius|degrés Celsius
        °F m degré Fahrenheit|degrés Fahrenheit
        ° m degré|degrés
        % m pour cent
        ‰ m pour mille
        kWh m kilowattheure|kilowattheures
        kW m kilowatt|kilowatts
        W m watt|watts
        V m volt|volts
        Hz m hertz
        kHz m kilohertz
        MHz m mégahertz
        GHz m gigahertz
        Ko,ko m kilooctet|kilooctets
        Mo m mégaoctet|mégaoctets
        Go m gigaoctet|gigaoctets
        To m téraoctet|téraoctets
        h f heure|heures
        min,mn f minute|minutes
        s f seconde|secondes
        ms f milliseconde|millisecondes
    """,
    "es": """
        km m kilómetro|kilómetros
        m m metro|metros
        cm m centímetro|centímetros
        mm m milímetro|milímetros
        km/h m kilómetro por hora|kilómetros por hora
        m/s m metro por segundo|metros por segundo
        km²,km2 m kilómetro cuadrado|kilómetros cuadrados
        m²,m2 m metro cuadrado|metros cuadrados
        m³,m3 m metro cúbico|metros cúbicos
        cm³ m centímetro cúbico|centímetros cúbicos
        ha f hectárea|hectáreas
        kg m kilogramo|kilogramos
        g m gramo|gramos
        mg m miligramo|miligramos
        t f tonelada|toneladas
        l,L m litro|litros
        ml m mililitro|mililitros
        cl m centilitro|centilitros
        °C m grado Celsius|grados Celsius
        °F m grado Fahrenheit|grados Fahrenheit
        ° m grado|grados
        % m por ciento
        ‰ m por mil
        kWh m kilovatio hora|kilovatios hora
        kW m kilovatio|kilovatios
        W m vatio|vatios
        V m voltio|voltios
        Hz m hercio|hercios
        kHz m kilohercio|kilohercios
        MHz m megahercio|megahercios
        GHz m gigahercio|gigahercios
        KB,kB m kilobyte|kilobytes
        MB m megabyte|megabytes
        GB m gigabyte|gigabytes
        TB m terabyte|terabytes
        h f hora|horas
        min m minuto|minutos
        s m segundo|segundos
        ms m milisegundo|milisegundos
    """,
    "it": """
        km m chilometro|chilometri
        m m metro|metri
        cm m centimetro|centimetri
        mm m millimetro|millimetri
        km/h m chilometro all'ora|chilometri all'ora
        m/s m metro al secondo|metri al secondo
        km²,km2 m chilometro quadrato|chilometri quadrati
        m²,m2,mq m metro quadrato|metri quadrati
        m³,m3 m metro cubo|metri cubi
        cm³ m centimetro cubo|centimetri cubi
        ha m ettaro|ettari
        kg m chilogrammo|chilogrammi
        g m grammo|grammi
        mg m milligrammo|milligrammi
        t f tonnellata|tonnellate
        l,L m litro|litri
        ml m millilitro|millilitri
        cl m centilitro|centilitri
        °C m grado Celsius|gradi Celsius
        °F m grado Fahrenheit|gradi Fahrenheit
        ° m grado|gradi
        % - per cento
        ‰ - per mille
        kWh m chilowattora|chilowattora
        kW m chilowatt|chilowatt
        W m watt|watt
        V m volt|volt
        Hz m hertz
        kHz m chilohertz
        MHz m megahertz
        GHz m gigahertz
        KB,kB m kilobyte|kilobyte
        MB m megabyte|megabyte
        GB m gigabyte|gigabyte
        TB m terabyte|terabyte
        h f ora|ore
        min m minuto|minuti
        s m secondo|secondi
        ms m millisecondo|millisecondi
    """,
    "pt": """
        km m quilômetro|quilômetros
        m m metro|metros
        cm m centímetro|centímetros
        mm m milímetro|milímetros
        km/h m quilômetro por hora|quilômetros por hora
        m/s m metro por segundo|metros por segundo
        km²,km2 m quilômetro quadrado|quilômetros quadrados
        m²,m2 m metro quadrado|metros quadrados
        m³,m3 m metro cúbico|metros cúbicos
        cm³ m centímetro cúbico|centímetros cúbicos
        ha m hectare|hectares
        kg m quilograma|quilogramas
        g m grama|gramas
        mg m miligrama|miligramas
        t f tonelada|toneladas
        l,L m litro|litros
        ml m mililitro|mililitros
        cl m centilitro|centilitros
        °C m grau Celsius|graus Celsius
        °F m grau Fahrenheit|graus Fahrenheit
        ° m grau|graus
        % m por cento
        ‰ m por mil
        kWh m quilowatt-hora|quilowatts-hora
        kW m quilowatt|quilowatts
        W m watt|watts
        V m volt|volts
        Hz m hertz
        kHz m quilohertz
        MHz m megahertz
        GHz m gigahertz
        KB,kB m quilobyte|quilobytes
        MB m megabyte|megabytes
        GB m gigabyte|gigabytes
        TB m terabyte|terabytes
        h f hora|horas
        min m minuto|minutos
        s m segundo|segundos
        ms m milissegundo|milissegundos
    """,
    "nl": """
        km - kilometer
        m - meter
        cm - centimeter
        mm - millimeter
        km/h,km/u - kilometer per uur
        m/s - meter per seconde
        km²,km2 - vierkante kilometer
        m²,m2 - vierkante meter
        m³,m3 - kubieke meter
        cm³ - kubieke centimeter
        ha - hectare
        kg - kilogram
        g - gram
        mg - milligram
        t - ton
        l,L - liter
        ml - milliliter
        cl - centiliter
        °C - graden Celsius
        °F - graden Fahrenheit
        ° - graden
        % - procent
        ‰ - promille
        kWh - kilowattuur
        kW - kilowatt
        W - watt
        V - volt
        Hz - hertz
        kHz - kilohertz
        MHz - megahertz
        GHz - gigahertz
        kB,KB - kilobyte
        MB - megabyte
        GB - gigabyte
        TB - terabyte
    """,
}
