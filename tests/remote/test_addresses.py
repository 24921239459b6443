import pytest

from cv_pipelines.remote.addresses import is_allowed


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700:4700::1111", "::ffff:93.184.216.34", "64:ff9b::808:808"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_allowed("example.org", address, ())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.1",
        "255.255.255.255",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_addresses_inside_are_not(address: str) -> None:
    assert not is_allowed("example.org", address, ())


@pytest.mark.parametrize(
    ("host", "address", "allow"),
    [
        ("minio.lan", "10.0.0.1", ("minio.lan",)),
        ("MinIO.lan", "10.0.0.1", ("other", "minio.lan")),
        ("a", "10.1.2.3", ("10.1.0.0/16",)),
        ("a", "10.1.2.3", ("10.1.2.3",)),
        ("a", "fd00::5", ("10.0.0.0/8", "fd00::/8")),
        ("a", "::ffff:10.1.2.3", ("10.1.0.0/16",)),
    ],
)
def test_what_is_named_is_allowed(host: str, address: str, allow: tuple[str, ...]) -> None:
    assert is_allowed(host, address, allow)


@pytest.mark.parametrize("allow", [("lan",), ("10.2.0.0/16",), ("fd00::/8",), ("other.minio.lan",), ("",)])
def test_what_is_not_named_is_not(allow: tuple[str, ...]) -> None:
    assert not is_allowed("minio.lan", "10.1.2.3", allow)
