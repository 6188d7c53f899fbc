"""Signed tree heads: whoever has the public key can tell that a ledger up to some event is what the key's owner had.

Ed25519 (RFC 8032) through `cryptography`, an optional extra. A private key is a PEM file that its owner alone can read;
a public key is 64 hexadecimal digits.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotroph.core.errors import AutotrophError
from autotroph.store.disk import clear_disk_errors

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The first `size` events of a ledger. `run`: hash of its first event; `at`: microseconds since 1970, UTC."""

    run: str
    size: int
    root: str
    at: int

    def text(self) -> bytes:
        """What is signed."""
        return f"autotroph tree head\n{self.run}\n{self.size}\n{self.root}\n{self.at}\n".encode()


class Signer:
    """A private key, from its file. Raises AutotrophError unless it is one that only its owner can read."""

    def __init__(self, path: Path):
        keys = _ed25519()
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self.path = path
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise AutotrophError(f"key {path}: others can read it; chmod 600 it, or make a new one")
            key = load_pem_private_key(path.read_bytes(), None)
        except OSError as error:
            raise AutotrophError(f"key {path}: {error.strerror}; `autotroph keygen {path}` makes one") from None
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise AutotrophError(
                f"key {path}: no private key without a password; `autotroph keygen` makes one"
            ) from None
        if not isinstance(key, keys.Ed25519PrivateKey):
            raise AutotrophError(f"key {path}: not an Ed25519 key; `autotroph keygen` makes one")
        self._key, self.public = key, _public(key)

    def sign(self, head: TreeHead) -> str:
        """The signature, in hexadecimal."""
        return bytes(self._key.sign(head.text())).hex()


def is_signed(head: TreeHead, public: str, signature: str) -> bool:
    """Whether the owner of the public key has signed this. Raises AutotrophError where signatures cannot be checked."""
    keys = _ed25519()
    from cryptography.exceptions import InvalidSignature

    try:
        keys.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), head.text())
    except (InvalidSignature, ValueError):
        return False
    return True


def keygen(path: Path) -> str:
    """Make a key: `path` is the private one, `path`.pub the public one, which is returned.

    Raises AutotrophError where there is such a file already.
    """
    keys = _ed25519()
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = keys.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = _public(key)
    with clear_disk_errors(path):
        for target, content, mode in ((path, pem, 0o600), (_beside(path), f"{public}\n".encode(), 0o644)):
            try:
                handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            except FileExistsError:
                raise AutotrophError(f"key {target}: is there already; choose another name") from None
            except FileNotFoundError:
                raise AutotrophError(f"key {target}: no such folder; make it first") from None
            with os.fdopen(handle, "wb") as file:
                file.write(content)
    return public


def public_key(given: str) -> str:
    """A public key from its 64 digits, or from a file that holds them."""
    text = given
    if not re.fullmatch("[0-9a-f]{64}", given):
        try:
            text = Path(given).read_text().strip()
        except (OSError, UnicodeError):
            text = ""
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise AutotrophError(
            f"key {given}: neither 64 hexadecimal digits nor a file of them; `keygen` wrote a .pub file"
        )
    return text


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.pub")


def _public(key: Ed25519PrivateKey) -> str:
    return str(key.public_key().public_bytes_raw().hex())


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise AutotrophError("signatures: need cryptography; pip install 'autotroph[sign]'") from None
    return ed25519
