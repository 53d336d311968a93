"""How a program sets gql up against Stoa."""

import os
from datetime import datetime

from gql import Client
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.requests import RequestsHTTPTransport
from gql.transport.websockets import WebsocketsTransport
from gql.utilities import update_schema_scalar
from graphql import GraphQLScalarType

URL = os.environ.get("STOA_URL", "http://127.0.0.1:8000/graphql")
TOKENS = {name: os.environ.get(f"STOA_TOKEN_{name.upper()}") for name in ("mei", "omar", "ana")}

# RFC 3339, always in UTC.
DATE_TIME = GraphQLScalarType(
    "DateTime",
    serialize=datetime.isoformat,
    parse_value=lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
)


def headers(name: str | None) -> dict[str, str]:
    """What a request says of whoever asks; without a name nobody has signed in."""
    said = {"graphql-client-name": "stoa-tests-python", "Accept": "application/graphql-response+json"}
    if name:
        said["Authorization"] = f"Bearer {TOKENS[name]}"
    return said


def blocking(name: str | None = None, **more: str) -> Client:
    """A client that waits for each answer, for scripts."""
    return Client(transport=RequestsHTTPTransport(URL, headers=headers(name) | more), fetch_schema_from_transport=True)


def waiting(name: str | None = None) -> Client:
    """A client for programs that do several things at once."""
    return Client(transport=AIOHTTPTransport(URL, headers=headers(name)), fetch_schema_from_transport=True)


def live(name: str) -> Client:
    """A client for news, over a WebSocket."""
    transport = WebsocketsTransport(
        URL.replace("http", "ws", 1),
        init_payload={"authorization": f"Bearer {TOKENS[name]}", "graphql-client-name": "stoa-tests-python"},
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
    )
    return Client(transport=transport)


def with_dates(client: Client) -> None:
    """Lets the client give and take `datetime` for `DateTime`, once it has the schema."""
    update_schema_scalar(client.schema, "DateTime", DATE_TIME)
