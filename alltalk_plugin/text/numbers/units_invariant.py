"""Units in languages where a noun after a number never changes.

A gender, where there is none, asks for the form of a number before a noun (két, 两).
"""

from __future__ import annotations

UNITS = {
    "hu": """
        km m kilométer
        m m méter
        cm m centiméter
        mm m milliméter
        km/h m kilométer per óra
        m/s m méter per szekundum
        km²,km2 m négyzetkilométer
        m²,m2 m négyzetméter
        m³,m3 m köbméter
        ha m hektár
        kg m kilogramm
        dkg m dekagramm
        g m gramm
        mg m milligramm
        l m liter
        dl m deciliter
        ml m milliliter
        °C m Celsius-fok
        ° m fok
        % m százalék
        kWh m kilowattóra
        kW m kilowatt
        W m watt
        MB m megabájt
        GB m gigabájt
        TB m terabájt
        perc m perc
    """,
    "tr": """
        km - kilometre
        m - metre
        cm - santimetre
        mm - milimetre
        km/h,km/sa - kilometre bölü saat
        m/s - metre bölü saniye
        km²,km2 - kilometrekare
        m²,m2 - metrekare
        m³,m3 - metreküp
        kg - kilogram
        g,gr - gram
        mg - miligram
        l,L - litre
        ml - mililitre
        °C - derece Celsius
        ° - derece
        kWh - kilovatsaat
        kW - kilovat
        W - vat
        MB - megabayt
        GB - gigabayt
        TB - terabayt
        dk,dk. - dakika
        sn,sn. - saniye
    """,
    "zh": """
        km m 公里
        m m 米
        cm m 厘米
        mm m 毫米
        m/s m 米每秒
        km²,km2 m 平方公里
        m²,m2,㎡ m 平方米
        m³,m3 m 立方米
        kg m 公斤
        g m 克
        mg m 毫克
        l,L m 升
        ml,mL m 毫升
        °C,℃ m 摄氏度
        °F m 华氏度
        ° m 度
        kWh m 千瓦时
        kW m 千瓦
        W m 瓦
        V m 伏
        GHz m 吉赫兹
    """,
    "ja": """
        km - キロメートル
        m - メートル
        cm - センチメートル
        mm - ミリメートル
        m/s - メートル毎秒
        km²,km2 - 平方キロメートル
        m²,m2,㎡ - 平方メートル
        m³,m3 - 立方メートル
        kg - キログラム
        g - グラム
        mg - ミリグラム
        l,L - リットル
        ml,mL - ミリリットル
        °C,℃ - 度
        ° - 度
        % - パーセント
        kWh - キロワット時
        kW - キロワット
        W - ワット
        V - ボルト
        GHz - ギガヘルツ
        MB - メガバイト
        GB - ギガバイト
        TB - テラバイト
    """,
    "ko": """
        km - 킬로미터
        m - 미터
        cm - 센티미터
        mm - 밀리미터
        m/s - 미터 매 초
        km²,km2 - 제곱킬로미터
        m²,m2,㎡ - 제곱미터
        m³,m3 - 세제곱미터
        kg - 킬로그램
        g - 그램
        mg - 밀리그램
        l,L - 리터
        ml,mL - 밀리리터
        °C,℃ - 도
        ° - 도
        % - 퍼센트
        kWh - 킬로와트시
        kW - 킬로와트
        W - 와트
        V - 볼트
        GHz - 기가헤르츠
        MB - 메가바이트
        GB - 기가바이트
        TB - 테라바이트
    """,
    "hi": """
        km,किमी,कि.मी. - किलोमीटर
        m - मीटर
        cm,सेमी - सेंटीमीटर
        mm - मिलीमीटर
        km/h - किलोमीटर प्रति घंटा
        kg,किग्रा - किलोग्राम
        g - ग्राम
        mg - मिलीग्राम
        l,L - लीटर
        ml,mL - मिलीलीटर
        °C - डिग्री सेल्सियस
        ° - डिग्री
        % - प्रतिशत
        kW - किलोवाट
        W - वाट
        MB - मेगाबाइट
        GB - गीगाबाइट
        TB - टेराबाइट
    """,
}
"""Percent in Chinese and Turkish goes before the number (`values.py`)."""
