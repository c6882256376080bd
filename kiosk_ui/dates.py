"""Dates and times as each language writes them, from Qt's locale data (CLDR)."""

from datetime import datetime

from PySide6.QtCore import QDate, QDateTime, QLocale, QTime

from appliance.texts import Language

# English as in Britain: an American short date reads as another day.
_LOCALES = {
    Language.KAZAKH: QLocale(QLocale.Language.Kazakh, QLocale.Country.Kazakhstan),
    Language.RUSSIAN: QLocale(QLocale.Language.Russian, QLocale.Country.Kazakhstan),
    Language.ENGLISH: QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom),
}


def clock_text(now: datetime, language: Language) -> str:
    """Day, weekday and time, to the minute; now: in the desk's own zone."""
    moment = QDateTime(QDate(now.year, now.month, now.day), QTime(now.hour, now.minute))
    return _LOCALES[language].toString(moment, "d MMMM yyyy, dddd  HH:mm")
