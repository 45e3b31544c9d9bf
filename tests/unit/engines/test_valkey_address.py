"""Where a cluster stands, as a person writes it; and what is said when it is written wrongly."""

import pytest

from tenfold.engines.valkey.address import Access, Address, AddressInvalid, Endpoint, Kind


@pytest.mark.parametrize(
    ("url", "kind", "endpoints", "access"),
    [
        ("redis://10.0.0.1", Kind.STANDALONE, [("10.0.0.1", 6379)], Access()),
        ("redis://:p%40ss@h:7601/3", Kind.STANDALONE, [("h", 7601)], Access(None, "p@ss", 3)),
        ("valkeys://me:pw@h:1,i:2/0", Kind.STANDALONE, [("h", 1), ("i", 2)], Access("me", "pw", 0, tls=True)),
        ("redis://[::1]:7000,[::2]", Kind.STANDALONE, [("::1", 7000), ("::2", 6379)], Access()),
        ("rediss+cluster://:pw@a:1,b", Kind.CLUSTER, [("a", 1), ("b", 6379)], Access(None, "pw", 0, tls=True)),
    ],
)
def test_an_address_says_what_stands_where(
    url: str, kind: Kind, endpoints: list[tuple[str, int]], access: Access
) -> None:
    """One server, several, a Cluster; names, numbers and brackets."""
    address = Address.parse(url)
    assert address.kind is kind
    assert list(address.endpoints) == endpoints
    assert address.access == access


def test_sentinels_name_their_primary_and_may_have_a_password_of_their_own() -> None:
    """The name stands where the database stands elsewhere, and the database behind it."""
    address = Address.parse("redis+sentinel://:pw@s1,s2:5000/shop/2?sentinel_password=other")
    assert address.endpoints == (Endpoint("s1", 26379), Endpoint("s2", 5000))
    assert (address.primary_name, address.access.db, address.sentinel_password) == ("shop", 2, "other")


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://h:1", "begins with 'http://'"),
        ("redis+ring://h", "begins with 'redis+ring://'"),
        ("h:6379", "begins with 'h://'"),
        ("", "has no scheme"),
        ("redis://", "names no host"),
        ("redis://a,,b", "names no host"),
        ("redis://h:99999", "has a port that is no number from 1 to 65535"),
        ("redis://h:x", "has a port that is no number from 1 to 65535"),
        ("redis://h:0", "has port 0"),
        ("redis://h/shop", "ends with something that is no number of a database"),
        ("redis://h/1/2", "ends with something that is no number of a database"),
        ("redis+cluster://h/1", "of which a Cluster has only 0"),
        ("redis+sentinel://h:26379", "names no primary that the Sentinels watch"),
        ("redis://h?replica=i", "has the option 'replica'"),
        ("redis://[::1", "is no URL"),
    ],
)
def test_what_is_no_address_is_refused_with_what_may_stand_there(url: str, what: str) -> None:
    """And never repeated, for there may be a password in it."""
    with pytest.raises(AddressInvalid) as refused:
        Address.parse(url.replace("//", "//:secret@", 1) if url.count("//") and "[" not in url else url)
    assert what in str(refused.value)
    assert "may stand here" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_no_password_is_shown_by_anything_that_holds_one() -> None:
    """repr is what lands in logs."""
    address = Address.parse("redis+sentinel://user:secret1@s/shop?sentinel_password=secret2")
    assert "secret" not in repr(address)
    assert "secret" not in repr(address.access)
