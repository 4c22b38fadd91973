"""Records as Odoo's own code sees them: what guards, scheduled actions and business methods work with."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from sandbox.engine import Engine
from sandbox.errors import NoMethodError, UserError
from sandbox.schema import X2MANY
from sandbox.store import Transaction

Method = Callable[..., Any]
# (model or "*", name) to a function of records; :func:`method` fills it.
METHODS: dict[tuple[str, str], Method] = {}
# Methods that take no ids over RPC.
MODEL_METHODS: set[str] = set()


def method(*models: str, of_model: bool = False) -> Callable[[Method], Method]:
    """Make a function a method of ``models`` (none: of every model). ``of_model``: its callers give no ids."""

    def keep(function: Method) -> Method:
        for model in models or ("*",):
            METHODS[model, function.__name__] = function
        if of_model:
            MODEL_METHODS.add(function.__name__)
        return function

    return keep


class Env:
    """Who acts, in which transaction, with which context."""

    def __init__(
        self,
        company: Engine,
        cr: Transaction,
        uid: int,
        *,
        su: bool = False,
        context: dict[str, Any] | None = None,
    ) -> None:
        self.engine, self.cr, self.uid, self.su, self.context = company, cr, uid, su, context or {}
        self.registry = SimpleNamespace(cursor=lambda: company.second_cursor(cr))

    def __call__(self, cr: Any = None, user: Any = None, context: dict[str, Any] | None = None, su: bool | None = None) -> "Env":
        uid = self.uid if user is None else getattr(user, "id", user)
        kept = self.context if context is None else context
        return Env(self.engine, cr or self.cr, uid, su=self.su if su is None else su, context=kept)

    def __getitem__(self, model: str) -> "Records":
        if model not in self.engine.models:
            raise KeyError(model)
        return Records(self, model, ())

    def __contains__(self, model: str) -> bool:
        return model in self.engine.models

    @property
    def user(self) -> "Records":
        """The person who acts."""
        return Records(self(su=True), "res.users", (self.uid,))

    @property
    def company(self) -> "Records":
        """The company of whom acts."""
        return Records(self, "res.company", (self.context.get("company") or self.user.company_id.id,))

    def add_to_compute(self, field: Any, records: "Records") -> None:
        """Do nothing: what is computed here is computed at each read, and nobody can write it."""

    def ref(self, name: str) -> "Records":
        """The record with the external id ``name``."""
        model, odoo_id = self.engine.external(name)
        return Records(self, model, (odoo_id,))


class Records:
    """Records of one model, in order."""

    def __init__(self, env: Env, model: str, ids: Sequence[int]) -> None:
        self.env, self._name, self.ids = env, model, list(ids)

    @property
    def id(self) -> int | bool:
        """The id of the one record; False of none."""
        if len(self.ids) > 1:
            raise ValueError(f"Expected singleton: {self}")
        return self.ids[0] if self.ids else False

    @property
    def _fields(self) -> Mapping[str, Any]:
        """The fields of the model, by name."""
        return self.env.engine.models[self._name]

    def __repr__(self) -> str:
        return f"{self._name}({', '.join(map(str, self.ids))}{',' if len(self.ids) == 1 else ''})"

    def __iter__(self) -> Iterator["Records"]:
        return (Records(self.env, self._name, (one,)) for one in self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __bool__(self) -> bool:
        return bool(self.ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Records) and other._name == self._name and set(other.ids) == set(self.ids)

    def __hash__(self) -> int:
        return hash((self._name, frozenset(self.ids)))

    def __or__(self, other: "Records") -> "Records":
        return Records(self.env, self._name, list(dict.fromkeys([*self.ids, *other.ids])))

    def __add__(self, other: "Records") -> "Records":
        return Records(self.env, self._name, [*self.ids, *other.ids])

    def __and__(self, other: "Records") -> "Records":
        return Records(self.env, self._name, [one for one in self.ids if one in other.ids])

    def __sub__(self, other: "Records") -> "Records":
        return Records(self.env, self._name, [one for one in self.ids if one not in other.ids])

    def __contains__(self, other: object) -> bool:
        return isinstance(other, Records) and other.id in self.ids

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._field(key)
        if isinstance(key, slice):
            return Records(self.env, self._name, self.ids[key])
        return Records(self.env, self._name, (self.ids[key],))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.env.engine.models[self._name]:
            return self._field(name)
        found = METHODS.get((self._name, name)) or METHODS.get(("*", name))
        if found is None:
            raise NoMethodError(f"'{self._name}' object has no attribute '{name}'")
        return lambda *args, **named: found(self, *args, **named)

    def _field(self, name: str) -> Any:
        field = self.env.engine.field(self._name, name)
        if field is None:
            raise KeyError(name)
        if not self.env.su:
            self.env.engine.check_access(self.env, self._name, "read")
        if field.relation and len(self.ids) != 1:
            found: list[int] = []
            for one in self.ids:
                value = self.env.engine.value(self._name, one, name)
                found += value if isinstance(value, list) else [value] if value else []
            return Records(self.env, field.relation, list(dict.fromkeys(found)))
        value = self.env.engine.value(self._name, self.id, name) if self.ids else None
        if field.type in X2MANY:
            return Records(self.env, field.relation, value or [])
        if field.type == "many2one":
            return Records(self.env, field.relation, [value] if value else [])
        if field.type == "datetime":
            return datetime.fromisoformat(value) if value else False
        if field.type == "date":
            return date.fromisoformat(value) if value else False
        if value is None:
            return 0 if field.type in ("integer", "float", "monetary") else False
        return value

    def sudo(self, flag: bool = True) -> "Records":
        """The same, past all access rights."""
        return Records(self.env(su=flag), self._name, self.ids)

    def with_company(self, company: Any) -> "Records":
        """The same, for ``company``."""
        chosen = company.id if isinstance(company, Records) else company
        return self.with_context(company=chosen) if chosen else self

    def with_context(self, context: dict[str, Any] | None = None, **more: Any) -> "Records":
        """The same, with another context."""
        kept = {**(self.env.context if context is None else context), **more}
        return Records(self.env(context=kept), self._name, self.ids)

    def with_user(self, user: Any) -> "Records":
        """The same, as another person, with that person's rights; user 1 is Odoo itself, which may do anything."""
        return Records(self.env(user=user, su=user == 1), self._name, self.ids)

    def with_env(self, env: Env) -> "Records":
        """The same in another environment."""
        return Records(env, self._name, self.ids)

    def browse(self, ids: int | Iterable[int] = ()) -> "Records":
        """Records of the same model."""
        return Records(self.env, self._name, [ids] if isinstance(ids, int) else list(ids))

    def exists(self) -> "Records":
        """Those that are there."""
        table = self.env.engine.store.table(self._name)
        return Records(self.env, self._name, [one for one in self.ids if table.get(one) is not None])

    def ensure_one(self) -> "Records":
        """Itself, if it is one."""
        if len(self.ids) != 1:
            raise ValueError(f"Expected singleton: {self}")
        return self

    def mapped(self, what: str | Callable[["Records"], Any]) -> Any:
        """The values of a (dotted) field, or of a function."""
        if callable(what):
            return [what(one) for one in self]
        name, _, rest = what.partition(".")
        if self.env.engine.models[self._name][name].relation:
            inner = self._field(name)
            return inner.mapped(rest) if rest else inner
        return [one[name] for one in self]

    def filtered(self, what: str | Callable[["Records"], Any]) -> "Records":
        """Those for which a field or a function is true."""
        keep = what if callable(what) else lambda one: one[what]
        return Records(self.env, self._name, [one.id for one in self if keep(one)])

    def sorted(self, key: str | Callable[["Records"], Any], reverse: bool = False) -> "Records":
        """Themselves in another order."""
        by = key if callable(key) else lambda one: one[key]
        return Records(self.env, self._name, [one.id for one in sorted(self, key=by, reverse=reverse)])


@method("res.users")
def has_group(user: Records, name: str) -> bool:
    """Whether the person belongs to the group with that external id."""
    try:
        _, group = user.env.engine.external(name)
    except UserError:
        return False
    return group in user.env.engine.groups_of(user.id)


def smallest_of(currency: Records) -> float:
    """The smallest sum of the currency; a cent where none is known."""
    return (currency.rounding or 10.0**-currency.decimal_places) if currency else 0.01


def in_currency(currency: Records, amount: float) -> float:
    """The amount at the currency's precision, halves away from zero as Odoo rounds them."""
    smallest = smallest_of(currency)
    counted = abs(amount or 0.0) / smallest
    # Odoo takes what floats lose just below a half for the half.
    whole = math.floor(counted + 0.5 + counted * 2.0**-50)
    return math.copysign(round(whole * smallest, 6), amount) if whole else 0.0


METHODS["res.currency", "round"] = in_currency


@method("res.currency")
def compare_amounts(currency: Records, one: float, other: float) -> int:
    """-1, 0 or 1, as the amounts compare at the currency's precision."""
    difference = in_currency(currency, one) - in_currency(currency, other)
    return 0 if abs(difference) < smallest_of(currency) / 2 else 1 if difference > 0 else -1


@method("res.currency")
def is_zero(currency: Records, amount: float) -> bool:
    """Whether nothing is left at the currency's precision."""
    return in_currency(currency, amount) == 0.0


@method("res.currency")
def _convert(currency: Records, amount: float, to: Records, company: Any = None, day: Any = None, **named: Any) -> float:
    """The amount in another currency: the company counts in one."""
    return round(amount, 2)
