"""A plugin that is asked by each hook, and remembers it."""

from fyr.core import Forbidden, Issue, Operation, Plugin, Refused, Route, hookimpl


class Witness(Plugin):
    """Notes who asked what, in order; refuses what is called Grinch."""

    def start(self, application):
        self.seen = []

    def note(self, hook, context):
        self.seen.append((hook, context.interaction))

    @hookimpl
    def request_received(self, context):
        self.note("request_received", context)

    @hookimpl
    def authenticate(self, context):
        self.note("authenticate", context)

    @hookimpl
    def authorize(self, context):
        self.note("authorize", context)
        if context.principal.user_type == "PATIENT" and context.interaction == "delete":
            raise Forbidden("patients delete nothing")

    @hookimpl
    def narrow_search(self, context, params):
        self.note("narrow_search", context)
        if context.principal.user_type == "PATIENT":
            return [*params, ("family", "Lovelace")]
        return None

    @hookimpl
    def before_interaction(self, context):
        self.note("before_interaction", context)

    @hookimpl
    def validate(self, context, resource):
        self.note("validate", context)
        if resource.get("name", [{}])[0].get("family") == "Nobody":
            yield Issue("invalid", "nobody is called that", ("Patient.name[0].family",))

    @hookimpl
    def before_store(self, context, old, new):
        self.note("before_store", context)
        if new and new.get("name", [{}])[0].get("family") == "Grinch":
            raise Refused("no Grinch here")
        if new:
            new["active"] = True

    @hookimpl
    def stored(self, context, session, old, new):
        self.note("stored", context)
        if new and new.get("gender") == "unknown":
            raise RuntimeError("secret detail of a bug")

    @hookimpl
    def before_show(self, context, resource):
        self.note("before_show", context)
        if context.principal.user_type == "PRACTITIONER":
            return {key: value for key, value in resource.items() if key != "name"}
        return None

    @hookimpl
    def deliver(self, change):
        self.seen.append(("deliver", f"{change.method} {change.type}"))

    @hookimpl
    def completed(self, context, status):
        self.seen.append(("completed", status))

    @hookimpl
    def register_operations(self):
        yield Operation(
            "store-twice",
            self.store_twice,
            frozenset({"system"}),
            affects_state=True,
            documentation="Stores Ada and the Grinch.",
        )

    def store_twice(self, call):
        raise Refused("not implemented by the witness")

    @hookimpl
    def register_routes(self):
        class Hello:
            def on_get(self, req, resp):
                resp.media = {"hello": "world"}

        yield Route("/witness/hello", Hello(), "Says hello.", public=True)
        yield Route("/witness/inside", Hello(), "Says hello to those who may.")
