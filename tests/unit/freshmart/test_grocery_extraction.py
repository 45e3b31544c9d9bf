"""How the extract is made from the source's columns."""

import pytest
from tools.extract_grocery import basket_of, local_hour, slug, title, weight_g


@pytest.mark.parametrize(
    ("package", "department", "grams"),
    [
        ("16 OZ", "GROCERY", 454),
        ("1 LB", "MEAT", 454),
        (".5 OZ", "DRUG GM", 14),
        ("1/2 GAL", "GROCERY", 1892),
        ("12 PK/12 OZ", "GROCERY", 4082),
        ("750 ML", "GROCERY", 750),
        ("40 LB", "PRODUCE", None),
        ("40 LB", "GROCERY", 18144),
        ("24 CT", "GROCERY", None),
        ("18 IN", "FLORAL", None),
        ("", "GROCERY", None),
    ],
)
def test_a_weight_is_parsed_where_the_package_states_one(package: str, department: str, grams: int | None) -> None:
    """Ounces, pounds, litres; never a count, a length, or a crate of produce."""
    assert weight_g(package, department) == grams


def test_names_are_written_as_people_write_them() -> None:
    """And slugs as paths are."""
    assert title("FRZN MEAT/MEAT DINNERS") == "Frzn Meat/Meat Dinners"
    assert slug("FRZN MEAT/MEAT DINNERS") == "frzn-meat-meat-dinners"


def test_hours_are_local_with_daylight_saving_time() -> None:
    """22:00 UTC is 17:00 in January and 18:00 in July."""
    assert (local_hour(1_484_517_600.0), local_hour(1_500_156_000.0)) == (17, 18)


def test_a_basket_adds_up_its_lines_and_bounds_them() -> None:
    """One line for each product, at most 20 pieces; nothing bought by the fraction becomes nothing."""
    line = {"store_id": "367", "basket_id": "3", "transaction_timestamp": 1_484_517_600.0}
    bought = (("2", 15.0), ("2", 9.0), ("1", 0.0))
    assert basket_of([{**line, "product_id": sku, "quantity": quantity} for sku, quantity in bought]) == {
        "store": 367,
        "hour": 17,
        "sku": 2,
        "lines": [{"sku": 1, "quantity": 1}, {"sku": 2, "quantity": 20}],
    }
