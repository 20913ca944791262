"""One pure function turns rules into a proposal's route. Buttons, guards, the drawn route and every check call it;
nothing else decides what comes next."""

from dataclasses import dataclass

from governance.policies.rules import Rules, Stage
from governance.policies.vocabulary import Effect, Facts, UnitPlace


@dataclass(frozen=True)
class RouteStage:
    """A stage that this proposal passes, with its effect here and its wave: stages of one wave stand side by side."""

    stage: Stage
    effect: Effect
    wave: int

    @property
    def key(self) -> str:
        return self.stage.key

    @property
    def label(self) -> str:
        return self.stage.label


@dataclass(frozen=True)
class Route:
    """The ordered stages of one proposal."""

    stages: tuple[RouteStage, ...]

    def __getitem__(self, key: str) -> RouteStage:
        """The stage of that key. Raises KeyError when this proposal does not pass it."""
        for stage in self.stages:
            if stage.key == key:
                return stage
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return any(stage.key == key for stage in self.stages)

    def wave_after(self, wave: int) -> tuple[RouteStage, ...]:
        """The stages that come next after a wave (before the first: -1); empty at the end of the route."""
        later = [stage.wave for stage in self.stages if stage.wave > wave]
        return tuple(stage for stage in self.stages if later and stage.wave == min(later))

    def before(self, key: str) -> tuple[RouteStage, ...]:
        """The stages of earlier waves, to which a stage may send a proposal back; those that only receive are not
        among them."""
        wave = self[key].wave
        return tuple(stage for stage in self.stages if stage.wave < wave and stage.effect is not Effect.RECEIVE)


def resolve(rules: Rules, content: Facts, unit: UnitPlace) -> Route:
    """The route of a proposal with this content from this unit under these rules.

    Same arguments, same route; no database.
    """
    stages: list[RouteStage] = []
    wave = -1
    open_wave: str | None = None
    for stage in rules.route:
        effect = stage.effect_for(content, unit)
        if effect is None or (stage.when is not None and not stage.when.holds(content, unit)):
            continue
        if stage.wave is None or stage.wave != open_wave:
            wave += 1
        open_wave = stage.wave
        stages.append(RouteStage(stage=stage, effect=effect, wave=wave))
    return Route(tuple(stages))
