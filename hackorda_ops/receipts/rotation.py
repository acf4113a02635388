"""Changes the key of a database's receipts, by a receipt that says so."""

from pathlib import Path

from hackorda_ops.environment import Protected
from hackorda_ops.errors import UsageError
from hackorda_ops.receipts.chain import Appended, ChainWriter
from hackorda_ops.receipts.draft import of_key
from hackorda_ops.receipts.keys import SigningKey, read_private_file
from hackorda_ops.receipts.record import open_chain, send
from hackorda_ops.receipts.verify import KEY_LOSS, ROTATION


def rotate(protected: Protected, new_key: Path, *, lost: bool = False) -> Appended:
    """Makes another key the one that receipts are signed with from here on.

    The configured key signs the receipt that names the new one. Until the configuration names that as well, receipts
    wait on this machine.

    Args:
        protected: the database.
        new_key: the file of the new private key, as `keys.make_pair` writes it.
        lost: the old key is gone: the new one signs for itself, and has to be trusted for that.

    Raises:
        UsageError: the new key is the configured one.
        ConfigError: a key can't be read, or the configured one isn't the chain's.
        OpsError: the store did not accept it.
    """
    new = read_private_file(new_key)
    if lost:
        chain = open_chain(protected, key=new)
        return _appended(chain, KEY_LOSS, protected.name, new)
    # What waits was made under the old key.
    for _ in send(protected):
        pass
    chain = open_chain(protected)
    if chain.key is None or chain.key.public == new.public:
        raise UsageError(
            f"The receipts of {protected.name} are signed by {'that key already' if chain.key else 'no key'}.",
            meaning="Nothing was changed.",
            next_step="Name a new key's file (`hackorda-ops receipts key FILE`). A first one is only configured.",
        )
    return _appended(chain, ROTATION, protected.name, new)


def _appended(chain: ChainWriter, kind: str, database: str, new: SigningKey) -> Appended:
    appended = chain.append(of_key(kind, database, new.public), None, lambda _: None)
    chain.copy()
    return appended
