from __future__ import annotations

import pytest
from django.db import OperationalError

from core.batches import each_alone


class TestEachAlone:
    def test_results_in_order(self) -> None:
        assert each_alone(str, [2, 1]) == ["2", "1"]
        assert each_alone(str, []) == []

    def test_one_that_fails_keeps_nobody_waiting_and_is_seen(self) -> None:
        done: list[int] = []

        def act(number: int) -> None:
            if number % 2:
                raise ValueError(number)
            done.append(number)

        with pytest.raises(ValueError, match="1"):
            each_alone(act, [1, 2, 4])
        with pytest.raises(ExceptionGroup, match="2 failed, 1 did not") as raised:
            each_alone(act, [1, 3, 6])
        assert done == [2, 4, 6] and [error.args for error in raised.value.exceptions] == [(1,), (3,)]

    @pytest.mark.parametrize("away", [OperationalError, ConnectionError])
    def test_what_is_away_for_all_ends_it(self, away: type[Exception]) -> None:
        asked: list[int] = []

        def act(number: int) -> None:
            asked.append(number)
            raise away

        with pytest.raises(away):
            each_alone(act, [1, 2], ends=(ConnectionError,))
        assert asked == [1]
