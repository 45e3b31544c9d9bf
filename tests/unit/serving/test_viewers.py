"""The pages that follow one stream: woken together, and none holds its server open."""

import asyncio

from tenfold.serving.events import CLOSED, Viewers, event


def test_an_event_is_one_data_line_with_its_number() -> None:
    """As the standard has it; without a number a page's last one stays."""
    assert event("progress", b'{"a":1}', number=7) == b'id: 7\nevent: progress\ndata: {"a":1}\n\n'
    assert CLOSED == b"event: closed\ndata: {}\n\n"


def test_there_is_a_place_until_there_is_none() -> None:
    """A page that leaves makes room."""
    viewers = Viewers(1)
    with viewers.join():
        assert (len(viewers), viewers.full()) == (1, True)
    assert (len(viewers), viewers.full()) == (0, False)


def test_all_are_woken_by_the_same_news() -> None:
    """However many."""
    viewers = Viewers(2)
    with viewers.join() as one, viewers.join() as other:
        viewers.wake()
        assert one.is_set()
        assert other.is_set()


def test_who_does_not_take_the_farewell_is_left_behind() -> None:
    """Its task is ended; the viewer that leaves by itself is waited for."""

    async def scene() -> None:
        viewers = Viewers(2)

        async def follow(*, polite: bool) -> None:
            with viewers.join(asyncio.current_task()) as news:
                await news.wait()
                if not polite:
                    await asyncio.Future()

        polite, rude = asyncio.create_task(follow(polite=True)), asyncio.create_task(follow(polite=False))
        await asyncio.sleep(0)
        await viewers.see_off(patience_s=0.01)
        await asyncio.gather(polite, rude, return_exceptions=True)
        assert (polite.cancelled(), rude.cancelled(), len(viewers)) == (False, True, 0)

    asyncio.run(asyncio.wait_for(scene(), 5))


def test_places_are_kept_for_who_is_signed_in() -> None:
    """Whoever comes without a session cannot take them."""
    viewers = Viewers(1, 1)
    with viewers.join():
        assert (viewers.full(), viewers.full(signed_in=True)) == (True, False)
        with viewers.join():
            assert viewers.full(signed_in=True)
