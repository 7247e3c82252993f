"""The mail server of the deployment: https://www.rfc-editor.org/rfc/rfc5321."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from email.message import EmailMessage
from urllib.parse import urlsplit

from fyr.config.outgoing import OutgoingSettings
from fyr.core import Away, SendFailed, Undeliverable
from fyr.plugins.subscriptions.settings import SubscriptionsSettings

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
#: Answers from here on are final, those before are not: a server that knows neither of us
#: says 450 to the first mail. https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
_FOR_GOOD = 500
#: It takes none of this size.
_TOO_LARGE = 552
#: The server is closing, whatever it was asked.
_CLOSING = 421
#: How long an answer may take that is only to show that it is there.
_LOOK_SECONDS = 5.0


class MailServer:
    """Takes mails, each over a connection of its own."""

    def __init__(
        self, settings: SubscriptionsSettings, outgoing: OutgoingSettings
    ) -> None:
        """Take where it is and who we are, and how long it may take."""
        where = urlsplit(settings.smtp_url)
        self._scheme, self._host = where.scheme, where.hostname or ""
        self._port = where.port or _PORTS.get(where.scheme, 0)
        self._user, self._password = settings.smtp_user, settings.smtp_password
        self._tls_ca = settings.smtp_tls_ca or outgoing.tls_ca
        self._seconds = outgoing.timeout_seconds

    def take(self, message: EmailMessage, seconds: float = 0.0) -> None:
        """Send one mail.

        :param seconds: how long an answer may take; 0: as ``outgoing`` says.
        :raises Undeliverable: it refuses this mail for good.
        :raises SendFailed: it will not have the mail now.
        :raises Away: it cannot be reached, or will not have us, whatever the mail.
        """
        try:
            with self._connected(seconds or self._seconds) as server:
                server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            # Their texts hold addresses.
            told = f"the mail server refused the mail: {_code(error)}"
            raise _refusal(_code(error))(told) from None
        except smtplib.SMTPSenderRefused as error:
            # Other mails are of the same sender; this one may be too large.
            kind = SendFailed if error.smtp_code == _TOO_LARGE else Away
            raise kind(_told(error)) from None
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise Away(_told(error)) from None
        except smtplib.SMTPException as error:
            raise SendFailed(_told(error)) from None

    def check(self, *, login: bool = False) -> None:
        """Look whether it is there; no mail is sent.

        :param login: look whether it lets us in, too.
        :raises Away: it is not, or does not.
        """
        with self._connected(min(self._seconds, _LOOK_SECONDS), login=login):
            pass

    @contextmanager
    def _connected(
        self, seconds: float, *, login: bool = True
    ) -> Iterator[smtplib.SMTP]:
        with ExitStack() as opened:
            try:
                server = self._open(seconds)
                opened.callback(server.close)
                self._begin(server, login)
            except (smtplib.SMTPException, OSError) as error:
                raise Away(_told(error)) from None
            yield server
            # What was taken is taken, however it says good-bye.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _open(self, seconds: float) -> smtplib.SMTP:
        if self._scheme == "smtps":
            return smtplib.SMTP_SSL(
                self._host, self._port, timeout=seconds, context=self._tls()
            )
        return smtplib.SMTP(self._host, self._port, timeout=seconds)

    def _begin(self, server: smtplib.SMTP, login: bool) -> None:
        """Say who we are."""
        server.ehlo_or_helo_if_needed()
        if self._scheme == "smtp+starttls":
            server.starttls(context=self._tls())
        if self._user and login:
            secret = self._password
            server.login(self._user, secret.get_secret_value() if secret else "")

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._tls_ca)


def _refusal(code: int) -> type[SendFailed]:
    if code == _CLOSING:
        return Away
    return Undeliverable if code >= _FOR_GOOD else SendFailed


def _told(error: smtplib.SMTPException | OSError) -> str:
    if isinstance(error, smtplib.SMTPException):
        return f"the mail server {_what(error)}"
    told = error.strerror or type(error).__name__
    return f"the mail server cannot be reached: {told}"


def _what(error: smtplib.SMTPException) -> str:
    """Say in words what went wrong; what the server said may hold anything."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"refused the login: {error.smtp_code}"
    if isinstance(error, smtplib.SMTPSenderRefused):
        return f"refused the sender: {error.smtp_code}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "does not offer STARTTLS, or no login"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        # smtplib says the same of both.
        late = isinstance(error.__context__, TimeoutError)
        return "does not answer" if late else "hung up"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered {error.smtp_code}"
    return f"failed: {type(error).__name__}"


def _code(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> int:
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code
    return max(code for code, _ in error.recipients.values())
