"""In which order targets are made: the cheapest first, so that figures appear from the first minute on."""

from __future__ import annotations

from functools import cache
from math import fsum

from nqs.studies.protocol import Study
from nqs.workflow.cost import Costs
from nqs.workflow.work import files_in

Job = tuple[str, str]  # stage and path of a cell, or `rows` and <study>_<target>


class Order:
    """Targets from the cheapest on: next always comes what costs least besides what the earlier ones share."""

    def __init__(self, costs: Costs) -> None:
        self.costs = costs
        self.work = costs.work
        self.rank: dict[Job, int] = {}  # place of the first target that needs a job
        self.targets: list[tuple[str, str]] = []  # study and name
        self.needs = cache(self._needs)
        self._sort()

    def priority(self, rule: str, path: str) -> int:
        """Of a cell or of the rows <study>_<target>: the higher, the earlier its first target; 0 if none needs it."""
        return len(self.targets) - self.rank[rule, path] if (rule, path) in self.rank else 0

    def of_target(self, study: Study, name: str) -> int:
        """Of drawing a target."""
        return len(self.targets) - self.targets.index((study.name, name))

    def _sort(self) -> None:
        behind = {(study.name, name): self._behind(study, name) for study, name, _ in self.work.targets()}
        every = sorted({job for jobs in behind.values() for job in jobs})
        self.seconds = {job: self.costs.seconds(*job) for job in every}
        while behind:
            price = {
                target: fsum(self.seconds[job] for job in jobs - self.rank.keys()) for target, jobs in behind.items()
            }
            cheapest = min(price, key=price.__getitem__)
            self.rank |= dict.fromkeys(behind.pop(cheapest) - self.rank.keys(), len(self.targets))
            self.targets.append(cheapest)

    def _behind(self, study: Study, name: str) -> set[Job]:
        """All jobs before the drawing of a target."""
        todo: list[Job] = [("rows", f"{study.name}_{study.targets[name].shows or name}")]
        found: set[Job] = set()
        while todo:
            if (job := todo.pop()) not in found:
                found.add(job)
                todo += self.needs(*job)
        return found

    def _needs(self, stage: str, path: str) -> list[Job]:
        """The jobs whose files a job reads."""
        if stage != "rows":
            return [self._job(file) for file in files_in(self.work.cell(stage, path).inputs)]
        study, _, name = path.partition("_")
        inputs = self.work.inputs(self.work.studies[study], self.work.studies[study].targets[name])
        return list(dict.fromkeys(self._job(file) for file in files_in(inputs)))

    def _job(self, file: str) -> Job:
        stage, path = self.work.origin(file)
        if stage != "analysis":
            return stage, path
        study, _, table = path.partition("/")
        return "rows", f"{study}_{self.work.maker(self.work.studies[study], table)}"
