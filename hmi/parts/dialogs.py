"""Questions before a deed, and what became of it. Every deed of a page goes through `carry_out`, so that no refusal is silent."""

from __future__ import annotations

from collections.abc import Awaitable

from nicegui import ui

from hmi import texts


async def confirm(title: str, text: str = "", yes: str = texts.YES) -> bool:
    """Ask before something is done to the plant; whether it shall be. Escape and a touch beside it mean no."""
    with ui.dialog() as dialog, ui.card() as card:
        card.props["role"], card.props["aria-label"] = "alertdialog", title  # as a value: a title may have quotes
        dialog.props["aria-label"] = title
        ui.label(title).classes("title")
        if text:
            ui.label(text)
        with ui.row().classes("line"):
            ui.button(texts.CANCEL, on_click=lambda: dialog.submit(False), color=None)
            ui.button(yes, on_click=lambda: dialog.submit(True), color=None).classes("primary").props("data-yes")
    try:
        return bool(await dialog)
    finally:
        put_away(dialog)


def put_away(dialog: ui.dialog) -> None:
    """Delete a dialog that has been answered, unless it went with its page."""
    if not dialog.is_deleted:
        dialog.delete()


async def carry_out(what: str, deed: Awaitable[str]) -> bool:
    """Do it, and say that it was done or why not; whether it was. A refusal stays until it is touched."""
    why = await deed
    if why:
        ui.notify(
            texts.REFUSED.format(what=what, why=why.removeprefix("refused: ")), type="negative", timeout=0, close_button=texts.CLOSE
        )
    else:
        ui.notify(texts.TAKEN.format(what=what), type="positive")
    return not why
