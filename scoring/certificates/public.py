"""The public query (notice 四(四)): two matching fields, the identity number masked, no way to enumerate."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import visits
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.visits import Limit
from scoring.certificates.models import Certificate

WINDOW = timedelta(minutes=15)
MISSES_PER_SUBJECT_AND_ADDRESS = 5
MISSES_PER_SUBJECT = 30  # from everywhere together
MISSES_PER_ADDRESS = 60  # a school, or a whole town, may share one address
KIND = "certificate"
LIMITS = (Limit(MISSES_PER_SUBJECT_AND_ADDRESS, WINDOW, by_address=True, by_subject=True, misses=True),
          Limit(MISSES_PER_SUBJECT, WINDOW, by_subject=True, misses=True),
          Limit(MISSES_PER_ADDRESS, WINDOW, by_address=True, misses=True))
TOO_MANY = Refused("too_many_queries", "查询次数过多，请 15 分钟后再试。请先核对证书上的编号和姓名是否与填写的一致。")


@dataclass(frozen=True)
class Question:
    """What somebody asks by, cleaned. Any two of the three must be given, and all that are given must match."""

    number: str = ""
    name: str = ""
    identity_number: str = ""

    @classmethod
    def read(cls, number: str, name: str, identity_number: str) -> Question:
        """From a form: full-width characters, spaces and the many middle dots of names do not matter."""
        return cls(_compact(number).upper()[:40], spoken_name(name)[:100], _compact(identity_number).upper()[:40])

    @property
    def enough(self) -> bool:
        return sum(map(bool, (self.number, self.name, self.identity_number))) >= 2


def look_up(session: Session, *, number: str = "", name: str = "", identity_number: str = "",
            cipher: IdentityCipher) -> list[Certificate]:
    """The certificates that match in everything given; empty for a wrong and for a missing one alike."""
    question = Question.read(number, name, identity_number)
    if not question.enough:
        raise Refused("too_few_fields", "证书编号、姓名、身份证号码请至少填写两项。")
    return [certificate for certificate in _candidates(session, question, cipher)
            if _matches(certificate, question, cipher)]


def ask(session: Session, question: Question, address: str, *, cipher: IdentityCipher,
        now: datetime) -> list[Certificate]:
    """As ``look_up``, for somebody from outside: within limits, and counted."""
    if question.enough:
        subject = cipher.fingerprint("query:" + (question.number or question.identity_number))
        visits.check(session, KIND, subject, address, LIMITS, TOO_MANY, now=now)
    found = look_up(session, number=question.number, name=question.name, identity_number=question.identity_number,
                    cipher=cipher)
    visits.note(session, KIND, subject, address, found=bool(found), now=now)
    return found


def spoken_name(name: str) -> str:
    """A name as it is compared: without spaces, with one kind of middle dot."""
    return _compact(name).translate(dict.fromkeys(map(ord, "•‧∙・.·"), "·"))


def _compact(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", text)
                   if character.isprintable() and not character.isspace())


def _candidates(session: Session, question: Question, cipher: IdentityCipher) -> Sequence[Certificate]:
    key = (Certificate.number == question.number if question.number
           else Certificate.identity_hash.in_(cipher.fingerprints(question.identity_number)))
    return session.scalars(sa.select(Certificate).where(key).order_by(Certificate.issued_on.desc(), Certificate.id)).all()


def _matches(certificate: Certificate, question: Question, cipher: IdentityCipher) -> bool:
    named = not question.name or spoken_name(certificate.holder) == question.name
    identified = (not question.identity_number
                  or certificate.identity_hash in cipher.fingerprints(question.identity_number))
    return named and identified
