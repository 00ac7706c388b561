"""Changes that leave the rest of a field as it is: a tag more or less, one picture's text."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from feedserver.folding import distinct_tags, fold_tag
from publisher.failures import Misused
from publisher.text.media import medium_words
from publisher.text.typed import check_text

if TYPE_CHECKING:
    from feedserver.wire import Json

_NAMES_ONE = {"number", "url"}


def changes_of(args: Namespace, fields: Json) -> Json:
    """Return the changes that the options ask for beside the fields. Raises Misused."""
    given = vars(args)
    changes: Json = {}
    for option in ("add_tag", "remove_tag"):
        if given.get(option):
            if "tags" in fields:
                raise Misused(
                    f"--{option.replace('_', '-')} and a new list of tags cannot be used together"
                )
            changes[f"{option}s"] = given[option]
    both = {*map(fold_tag, changes.get("add_tags", ()))}
    both &= {*map(fold_tag, changes.get("remove_tags", ()))}
    if both:
        raise Misused(f"--add-tag and --remove-tag cannot both name {min(both)}")
    if given.get("picture"):
        if "media" in fields:
            raise Misused("--picture and a new list of pictures cannot be used together")
        for picture in given["picture"]:
            if not picture.keys() - _NAMES_ONE:
                raise Misused(f"say what changes of picture {picture['number']}: --alt, --credit …")
        changes["pictures"] = given["picture"]
    check_text(changes)
    return changes


def words_of_changes(changes: Json) -> list[str]:
    """Return the command-line words that `changes_of` would read as these changes."""
    words = [f"--add-tag={tag}" for tag in changes.get("add_tags", ())]
    words += [f"--remove-tag={tag}" for tag in changes.get("remove_tags", ())]
    for picture in changes.get("pictures", ()):
        words += medium_words(picture)
    return words


def bind(changes: Json, words: Json | None) -> Json:
    """Return the changes with the addresses of the pictures that they name by number.

    So that it stays that picture where the others are moved. Raises Misused.
    """
    if words is None or "pictures" not in changes:
        return changes
    urls = [medium.get("url") for medium in words.get("media") or ()]
    pictures = []
    for picture in changes["pictures"]:
        url = picture.get("url") or _found(picture, words)["url"]
        alone = urls.count(url) == 1
        pictures.append({**picture, "url": url} if alone else picture)
    return {**changes, "pictures": pictures}


def apply(changes: Json, words: Json) -> Json:
    """Return the fields that the changes make of an item's words. Raises Misused."""
    fields: Json = {}
    if "add_tags" in changes or "remove_tags" in changes:
        gone = {*map(fold_tag, changes.get("remove_tags", ()))}
        kept = [tag for tag in words.get("tags") or () if fold_tag(tag) not in gone]
        fields["tags"] = distinct_tags([*kept, *changes.get("add_tags", ())]) or None
    if "pictures" in changes:
        media = [dict(medium) for medium in words.get("media") or ()]
        for picture in changes["pictures"]:
            medium = _found(picture, {"media": media})
            for name in picture.keys() - _NAMES_ONE:
                if picture[name] == "":
                    medium.pop(name, None)
                else:
                    medium[name] = picture[name]
        fields["media"] = media
    return fields


def clash(changes: Json, base: Json | None, current: Json) -> bool:
    """Say whether others changed the same of a picture, or took it away."""
    if base is None and "pictures" in changes:
        return True
    for picture in changes.get("pictures", ()):
        try:
            was, now = _found(picture, base or {}), _found(picture, current)
        except Misused:
            return True
        for name in picture.keys() - _NAMES_ONE:
            wanted = picture[name] or None
            if now.get(name) not in (was.get(name), wanted):
                return True
    return False


def _found(picture: Json, words: Json) -> Any:
    media = words.get("media") or ()
    number = picture["number"]
    if "url" in picture:
        same = [medium for medium in media if medium.get("url") == picture["url"]]
        if not same:
            raise Misused(
                f"picture {number} is no longer in the item: {picture['url']}", see_help=False
            )
        return same[0]
    if number > len(media):
        count = len(media)
        has = f"has {count} picture{'s' * (count != 1)}" if count else "has no pictures"
        raise Misused(f"there is no picture {number}: the item {has}", see_help=False)
    return media[number - 1]
