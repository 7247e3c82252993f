"""What holds of a ClinicalImpression: IG 8.0.0, profile ehealth-clinicalimpression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fyr.core import (
    Acting,
    Issue,
    RequestContext,
    Resource,
    Transition,
    broken_rule,
    refuses,
)
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import (
    CAREMANAGER_ORGANIZATION,
    EPISODE_OF_CARE,
    IMPRESSION_ASSESSOR_ORGANIZATION,
    IMPRESSION_CARE_PLAN,
    IMPRESSION_DECISION,
    IMPRESSION_VIEW_ITEM,
    reference_of,
    replaced,
)
from fyr.plugins.clinical.references import unversioned
from fyr.plugins.clinical.tasks.plans import care_plans_of
from fyr.plugins.clinical.tasks.terms import (
    IMPRESSION_PROFILE,
    MEASUREMENTS,
    VALIDITY_FINDINGS,
    VALIDITY_UPDATES,
    claims,
    codes,
    codes_in,
    finding_codes,
    investigated,
    references_in,
    type_of,
)

#: The operation by which alone measurements are invalidated.
OPERATION = "set-measurement-validity"
_MODIFIED = "item-modified"
_APPROVED_VIEW, _VIEW_DECISION = "approved-view", "citizen-view-approved"
_SHARING = "approved-for-sharing"
#: Where a write says that its care plan was looked at already.
_FORESEEN = "clinical.one-care-plan"


def is_held(transition: Transition) -> bool:
    """Whether the rules of the profile hold: for people, and for who claims it."""
    new = transition.new or {}
    return transition.user_type != "SYSTEM" or claims(new, IMPRESSION_PROFILE)


def is_of_the_operation(context: RequestContext | None) -> bool:
    """Whether something is done as a part of ``$set-measurement-validity``."""
    while context is not None:
        if context.operation == OPERATION:
            return True
        context = context.parent
    return False


@refuses(
    "CLINICAL_IMPRESSION_VALIDATION_STATE_FINDING_CODE_NOT_ALLOWED",
    "CLINICAL_IMPRESSION_MEASUREMENT_VALIDITY_UPDATED_CODE_REQUIRED",
)
def validity_by_the_operation(transition: Transition) -> Iterator[Issue]:
    """Refuse findings about validity from elsewhere, and on other impressions."""
    new, old = transition.new or {}, transition.old
    if not _says_validity(new):
        return
    cause = transition.acting.cause
    known = old is not None and new.get("finding") == old.get("finding")
    if not known and not is_of_the_operation(cause):
        code = CODES["CLINICAL_IMPRESSION_VALIDATION_STATE_FINDING_CODE_NOT_ALLOWED"]
        yield code.issue(expression=("ClinicalImpression.finding",))
    if VALIDITY_UPDATES.isdisjoint(codes(new.get("code"))):
        code = CODES["CLINICAL_IMPRESSION_MEASUREMENT_VALIDITY_UPDATED_CODE_REQUIRED"]
        yield code.issue(expression=("ClinicalImpression.code",))


@refuses("GENERAL_VALIDATION_ERROR")
def validity_stays_as_it_is(transition: Transition) -> Iterator[Issue]:
    """Let nothing but the status of an entry about validity change."""
    new, old = transition.new, transition.old
    if new is None or old is None or not _says_validity(old):
        return
    for name in sorted({*new, *old} - {"status", "meta", "text"}):
        if new.get(name) != old.get(name):
            text = "an entry about the validity of a measurement stays as it is"
            yield broken_rule(text, f"ClinicalImpression.{name}")


@refuses("TASK_INVESTIGATION_ITEM_REFERENCES_MUST_HAVE_VERSION_AND_VERSIONLESS")
def items_with_and_without_version(transition: Transition) -> Iterator[Issue]:
    """Ask each investigation of measurements for both references to each."""
    new, old = transition.new or {}, transition.old or {}
    asked = new.get("investigation", ())
    if not is_held(transition) or asked == old.get("investigation", ()):
        return
    for place, one in enumerate(asked):
        if _MODIFIED in codes(one.get("code")):
            # What the operation says has come of it: a version and nothing else.
            continue
        found = [
            item
            for item in references_in(one.get("item", ()))
            if type_of(item) in MEASUREMENTS
        ]
        without = {item for item in found if "/_history/" not in item}
        with_version = {unversioned(item) for item in found if "/_history/" in item}
        if without != with_version:
            code = CODES[
                "TASK_INVESTIGATION_ITEM_REFERENCES_MUST_HAVE_VERSION_AND_VERSIONLESS"
            ]
            where = f"ClinicalImpression.investigation[{place}].item"
            yield code.issue(expression=(where,))


@refuses("GENERAL_VALIDATION_ERROR")
def views_are_approved_for_answers(transition: Transition) -> Iterator[Issue]:
    """Ask an approval of views which views they are, and for which answers.

    It says that the citizen may see the views of these responses to questionnaires.
    """
    new, old = transition.new or {}, transition.old
    if not is_held(transition) or _APPROVED_VIEW not in codes(new.get("code")):
        return
    if old is not None and _of_views(old) == _of_views(new):
        return
    decided = [code for one in codes_in(new, IMPRESSION_DECISION) for code in one]
    if decided != [_VIEW_DECISION]:
        text = f"who approves views decides {_VIEW_DECISION}"
        yield broken_rule(text, "ClinicalImpression.extension")
    for place, one in enumerate(new.get("investigation", ())):
        where = f"ClinicalImpression.investigation[{place}]"
        if reference_of(one, IMPRESSION_VIEW_ITEM) is None:
            yield broken_rule("name the views that are approved", where)
        kinds = {type_of(item) for item in references_in(one.get("item", ()))}
        if kinds != {"QuestionnaireResponse"}:
            text = "views are approved for responses to questionnaires"
            yield broken_rule(text, f"{where}.item")
    if not new.get("investigation"):
        text = "name the views that are approved, and the responses"
        yield broken_rule(text, "ClinicalImpression.investigation")


@refuses("GENERAL_VALIDATION_ERROR")
def one_care_plan(transition: Transition) -> Iterator[Issue]:
    """Ask for the care plan that references lead to, and refuse two of them."""
    new, old = transition.new or {}, transition.old or {}
    if not is_held(transition) or _leads(new) == _leads(old):
        return
    if _FORESEEN not in transition.context.state:
        yield from _strange_plans(transition.acting, new)


def foresee(acting: Acting, impression: Resource, context: RequestContext) -> None:
    """Ask :func:`one_care_plan` of a new impression before the transaction.

    Where nothing stands in the way it is not asked again.
    """
    if not any(_strange_plans(acting, impression)):
        context.state[_FORESEEN] = True


def _strange_plans(acting: Acting, impression: Resource) -> Iterator[Issue]:
    said = reference_of(impression, IMPRESSION_CARE_PLAN)
    plans = care_plans_of_impression(acting, impression)
    place = "ClinicalImpression.extension"
    if len(plans) > 1:
        text = f"it concerns several care plans: {', '.join(sorted(plans))}"
        yield broken_rule(text, place)
    elif plans and said not in plans:
        text = f"name the care plan that it is about: {next(iter(plans))}"
        yield broken_rule(text, place)


def care_plans_of_impression(acting: Acting, impression: Resource) -> set[str]:
    """Tell the care plans that the references of an impression lead to."""
    plans: set[str] = set()
    before = impression.get("previous", {}).get("reference")
    if before:
        found = acting.read(before)
        plan = reference_of(found, IMPRESSION_CARE_PLAN) if found else None
        plans |= {plan} if plan else set()
    for item in dict.fromkeys(map(unversioned, investigated(impression))):
        measurement = acting.read(item) if type_of(item) in MEASUREMENTS else None
        for activity in references_in((measurement or {}).get("basedOn", ())):
            plans |= set(care_plans_of(acting, activity))
    return plans


def dated(transition: Transition) -> None:
    """Say when the impression was made, where it does not say so."""
    if transition.new is not None and transition.old is None:
        now = transition.acting.now
        transition.new.setdefault("date", now.isoformat(timespec="seconds"))


def assessed_by_an_organization(transition: Transition) -> None:
    """Name the organization that stands for an approval for sharing.

    That of the practitioner's context; for the server itself that of the care plan's
    author, else the one that manages the care of the episode.
    """
    new = transition.new
    if new is None or not any(
        _SHARING in one for one in codes_in(new, IMPRESSION_DECISION)
    ):
        return
    old = transition.old
    if old is not None and any(
        _SHARING in one for one in codes_in(old, IMPRESSION_DECISION)
    ):
        return
    if transition.user_type == "PRACTITIONER":
        chosen = transition.context.principal.context.get("organization", "")
        found: str | None = transition.acting.own(chosen) or chosen
    else:
        found = _organization_behind(transition, new)
    if found:
        named = {"valueReference": {"reference": found}}
        url = IMPRESSION_ASSESSOR_ORGANIZATION
        replaced(new, url, [{"url": url, **named}])


def _organization_behind(transition: Transition, new: Resource) -> str | None:
    plan = reference_of(new, IMPRESSION_CARE_PLAN)
    found = transition.read(plan) if plan else None
    author: str = (found or {}).get("author", {}).get("reference", "")
    if type_of(author) == "Organization":
        return author
    episode = reference_of(new, EPISODE_OF_CARE)
    around = transition.read(episode) if episode else None
    return reference_of(around, CAREMANAGER_ORGANIZATION) if around else None


def _says_validity(impression: Resource) -> bool:
    return any(VALIDITY_FINDINGS & set(one) for one in finding_codes(impression))


def _of_views(impression: Resource) -> tuple[Any, ...]:
    return (
        impression.get("code"),
        impression.get("investigation"),
        codes_in(impression, IMPRESSION_DECISION),
    )


def _leads(impression: Resource) -> tuple[Any, ...]:
    return (
        impression.get("previous"),
        impression.get("investigation"),
        reference_of(impression, IMPRESSION_CARE_PLAN),
    )
