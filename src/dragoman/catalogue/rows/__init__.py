"""The built-in rows, by name.

`vendors.py` holds those who serve models of their own, `hosts.py` those who serve the models of others, `gateways.py`
what stands in front of providers, `local.py` servers on one's own machine, `clouds.py` hosts whose address and
credentials are an account's. A quirk that is not the dialect's default
has its evidence beside it: a recording (an exchange with the host), a specification, or the vendor's page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.catalogue.rows import clouds, gateways, hosts, local, vendors

if TYPE_CHECKING:
    from dragoman.catalogue.row import ProviderRow

__all__ = ["BUILT_IN"]

BUILT_IN: dict[str, ProviderRow] = {
    row.name: row for family in (vendors, hosts, clouds, gateways, local) for row in family.ROWS
}
