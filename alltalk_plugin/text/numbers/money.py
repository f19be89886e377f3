"""Money: code, gender, forms; a code in small letters is its hundredth part."""

from __future__ import annotations

SIGNS = {
    "USD": ("$", "US$"),
    "EUR": ("€",),
    "GBP": ("£",),
    "CNY": ("¥", "RMB"),
    "JPY": ("¥", "￥"),
    "INR": ("₹",),
    "RUB": ("₽", "руб.", "руб"),
    "UAH": ("₴", "грн", "грн."),
    "PLN": ("zł",),
    "CZK": ("Kč",),
    "HUF": ("Ft",),
    "TRY": ("₺", "TL"),
    "KRW": ("₩",),
    "CHF": (),
    "BRL": ("R$",),
}
"""A later code takes a sign from an earlier one where a language has both: ¥ is the yuan in Chinese only."""

MONEY = {
    "en": """
        USD - dollar|dollars
        usd - cent|cents
        EUR - euro|euros
        eur - cent|cents
        GBP - pound|pounds
        gbp - penny|pence
        JPY - yen
        INR - rupee|rupees
        inr - paisa|paise
        CHF - Swiss franc|Swiss francs
        CNY - yuan
        KRW - won
    """,
    "de": """
        USD m Dollar|Dollar
        EUR m Euro|Euro
        GBP n Pfund|Pfund
        JPY m Yen|Yen
        CHF m Franken|Franken
        PLN m Złoty|Złoty
    """,
    "fr": """
        USD m dollar|dollars
        EUR m euro|euros
        GBP f livre|livres
        JPY m yen|yens
        CHF m franc suisse|francs suisses
    """,
    "es": """
        USD m dólar|dólares
        EUR m euro|euros
        GBP f libra|libras
        JPY m yen|yenes
        CHF m franco suizo|francos suizos
    """,
    "it": """
        USD m dollaro|dollari
        EUR m euro|euro
        GBP f sterlina|sterline
        JPY m yen|yen
        CHF m franco svizzero|franchi svizzeri
    """,
    "pt": """
        USD m dólar|dólares
        EUR m euro|euros
        GBP f libra|libras
        JPY m iene|ienes
        BRL m real|reais
    """,
    "nl": """
        USD - dollar
        EUR - euro
        GBP - pond
        JPY - yen
        CHF - frank
    """,
    "pl": """
        PLN m złoty|złote|złotych|złotego
        pln m grosz|grosze|groszy
        USD m dolar|dolary|dolarów|dolara
        usd m cent|centy|centów
        EUR n euro
        eur m cent|centy|centów
        GBP m funt|funty|funtów|funta
        gbp m pens|pensy|pensów
    """,
    "ru": """
        RUB m рубль|рубля|рублей
        rub f копейка|копейки|копеек
        USD m доллар|доллара|долларов
        usd m цент|цента|центов
        EUR m евро
        eur m цент|цента|центов
        GBP m фунт|фунта|фунтов
        gbp m пенс|пенса|пенсов
    """,
    "uk": """
        UAH f гривня|гривні|гривень|гривні
        uah f копійка|копійки|копійок
        USD m долар|долари|доларів|долара
        usd m цент|центи|центів
        EUR m євро
        eur m цент|центи|центів
        GBP m фунт|фунти|фунтів|фунта
        gbp m пенс|пенси|пенсів
    """,
    "cs": """
        CZK f koruna|koruny|korun|koruny
        czk m haléř|haléře|haléřů
        USD m dolar|dolary|dolarů|dolaru
        usd m cent|centy|centů
        EUR n euro|eura|eur|eura
        eur m cent|centy|centů
        GBP f libra|libry|liber|libry
        gbp f pence
    """,
    "hu": """
        HUF m forint
        USD m dollár
        EUR m euró
        GBP m font
    """,
    "tr": """
        TRY - lira
        USD - dolar
        EUR - avro
        GBP - sterlin
    """,
    "zh": """
        CNY m 元
        USD m 美元
        EUR m 欧元
        GBP m 英镑
    """,
    "ja": """
        JPY - 円
        USD - ドル
        EUR - ユーロ
        GBP - ポンド
    """,
    "ko": """
        KRW - 원
        USD - 달러
        EUR - 유로
        GBP - 파운드
        JPY - 엔
    """,
    "hi": """
        INR - रुपये
        USD - डॉलर
        EUR - यूरो
        GBP - पाउंड
    """,
}
"""Where nothing is said of the hundredth part it stays unnamed (zwölf Euro fünfzig), or the number is read
with its decimals."""
