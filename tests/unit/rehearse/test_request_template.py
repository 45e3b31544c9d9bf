import pytest

from tenfold.rehearse.load.template import RequestPart, RequestTemplate, TemplateInvalid, field_key, written


def values(row: dict[str, object], template: RequestTemplate, **drawn: bytes) -> dict[bytes, bytes]:
    fields = {field_key(place, name): written(row[name], place) for place, name in template.fields}
    return {**fields, **{name.encode(): value for name, value in drawn.items()}}


def test_a_read_is_rendered_to_the_byte() -> None:
    """What goes over the wire is what the plan says, and nothing else."""
    template = RequestTemplate("GET", "/stores/${store}/prices/${sku}", {"Host": "h:1", "X-Tag": "t"}, None)
    sent = template.render(values({"store": 7, "sku": 42}, template))
    assert sent == b"GET /stores/7/prices/42 HTTP/1.1\r\nHost: h:1\r\nX-Tag: t\r\n\r\n"


def test_a_body_has_its_length_and_lists_stand_as_json() -> None:
    """`${lines}` is a list of the feed's row."""
    template = RequestTemplate("POST", "/orders", {"Idempotency-Key": "${unique}"}, '{"lines": ${lines}, "in": "100%"}')
    sent = template.render(values({"lines": [{"sku": 1}]}, template, unique=b"k1"))
    body = b'{"lines": [{"sku":1}], "in": "100%"}'
    assert sent == b"POST /orders HTTP/1.1\r\nIdempotency-Key: k1\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_text_is_escaped_for_the_place_it_stands_in() -> None:
    """The same category is percent-encoded in a path and escaped in a body."""
    template = RequestTemplate("POST", "/c/${category}", {}, '{"c": "${category}"}')
    sent = template.render(values({"category": 'a/b "ü"'}, template))
    assert b"POST /c/a%2Fb%20%22%C3%BC%22 HTTP/1.1" in sent
    assert sent.endswith('{"c": "a/b \\"ü\\""}'.encode())


def test_a_key_of_its_own_is_the_same_wherever_a_request_mentions_it() -> None:
    """Header and body of one request agree."""
    template = RequestTemplate("POST", "/o", {"Idempotency-Key": "${unique}"}, '{"key": "${unique}"}')
    assert template.render({b"unique": b"abc"}).count(b"abc") == 2


def test_a_template_knows_what_it_needs() -> None:
    """Fields of the feed, and answers of earlier requests."""
    template = RequestTemplate("GET", "/orders/${order.id}/${sku}", {}, None)
    assert template.recalls == {"order.id"}
    assert template.fields == {(RequestPart.PATH, "sku")}


def test_what_may_be_sent_twice_is_known_by_method_and_key() -> None:
    """A POST may be sent again only when the system can tell that it is the same."""
    assert RequestTemplate("GET", "/", {}, None).idempotent
    assert RequestTemplate("POST", "/", {"idempotency-key": "${unique}"}, "").idempotent
    assert not RequestTemplate("POST", "/", {}, "").idempotent


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\n": "a"}])
def test_a_header_cannot_smuggle_another(headers: dict[str, str]) -> None:
    """Line ends in a header are refused."""
    with pytest.raises(TemplateInvalid, match="control characters"):
        RequestTemplate("GET", "/", headers, None)


def test_a_field_cannot_smuggle_a_header() -> None:
    """Nor may they come out of the feed."""
    with pytest.raises(TemplateInvalid, match="control characters"):
        written("a\r\nb", RequestPart.HEADER)
