"""Asks freshmart's API, a process of its own, as a shop's app and its tills do."""

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from tenfold.fleet import Service
from tests.freshmart_shop import TOKEN, Shop

TAG = {"X-Tenfold-Test": TOKEN}


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Api:
    def __init__(self, shop: Shop, service: Service) -> None:
        self.shop = shop
        self.service = service

    def ask(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Got:
        request = urllib.request.Request(self.service.url + path, data=body, headers=headers or {})
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Got(answer.status, _lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Got(error.code, _lower(error.headers), error.read())

    def order(self, key: str, order: Any, headers: dict[str, str] | None = None) -> Got:
        tagged = {"Idempotency-Key": key} | (TAG if headers is None else headers)
        return self.ask("/orders", json.dumps(order).encode(), tagged)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
