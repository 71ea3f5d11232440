"""messagehub segments"""

from typing import Annotated

import typer

from messagehub.errors import HubError


def segments(
    text: Annotated[str, typer.Argument(help="The text of a message.")],
    smart_encoding: Annotated[
        bool, typer.Option("--smart-encoding", help="As it is sent with smart encoding.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show how a text is cut into segments, without sending it.

    Example: messagehub segments "Grüße aus Köln ✓"
    """
    import msgspec

    from messagehub.api.messages import segments_shape

    try:
        text.encode()
    except UnicodeEncodeError:  # a shell passes on octets that are no text
        raise HubError("the text is no UTF-8") from None
    shape = segments_shape(text, smart_encoding)
    if as_json:
        typer.echo(msgspec.json.encode(shape))
        return
    typer.echo(f"{shape.encoding}, {shape.parts} part(s), {shape.units} units, {shape.units_per_part} in each part")
    for number, segment in enumerate(shape.segments, 1):
        typer.echo(f"{number:3}  {segment!r}")
    for one in shape.replaced or ():
        typer.echo(f"     {one.replacement!r} is sent for {one.character!r}")
    for forcing in shape.forced_by:
        instead = "" if forcing.replacement is None else f"; {forcing.replacement!r} in its place would not"
        typer.echo(f"     {forcing.character!r} forces UCS-2{instead}")
