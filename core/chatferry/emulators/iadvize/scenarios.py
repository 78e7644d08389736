"""The plots: the forms that questions, answers and handovers take in real conversations."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chatferry.emulators.iadvize.people import Operator, user_node
from chatferry.emulators.iadvize.script import Scene

MARKERS = ("[](Q{n}) ", "[](Q{n})", "[ ](Q{n}) ", "[](q{n}) ", "[](Q0{n}) ", "[]( Q{n} ) ", "  [](Q{n})  ")
ESCAPED_MARKER = "\\[\\](Q{n}) "
TOPICS = ("vehicle", "budget", "delay", "city", "project")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A scene with its operators, and the steps that plots are made of."""

    scene: Scene
    bot: Operator
    agents: tuple[Operator, ...]
    expert: Operator

    @property
    def rng(self) -> random.Random:
        """The random generator of the scene."""
        return self.scene.rng

    def marked(self, number: int, text: str, *, marker: str | None = None) -> str:
        """Return a question with its marker in one of the forms seen in production."""
        return (marker or self.rng.choice(MARKERS)).format(n=number) + text

    def enter(self, operator: Operator) -> None:
        """Push the conversation to an operator, who greets."""
        self.scene.push(operator, user_node(operator))
        language = self.scene.language
        greeting = self.rng.choice(language.hello) if operator.kind == "Bot" else language.agent_hello
        self.scene.operator(operator, greeting)

    def transfer(self, operator: Operator) -> None:
        """Transfer the conversation to another operator."""
        self.scene.system("TransferredToUserSystemAttachment")
        self.enter(operator)

    def ask(self, speaker: str | Operator, number: int, topic: str, *, marker: str | None = None) -> None:
        """Ask a marked question; one with choices is sometimes a menu of quick replies."""
        question = self.scene.language.questions[topic]
        text = self.marked(number, question.ask, marker=marker)
        name = f"Q{number}"
        if question.choices and self.rng.random() < 0.5:  # noqa: PLR2004  (as often as not)
            self.menu(speaker, text, question.choices, asks=(name,))
        else:
            self.scene.operator(speaker, text, asks=(name,))

    def menu(
        self, speaker: str | Operator, text: str, choices: tuple[str, ...], *, asks: tuple[str, ...]
    ) -> None:
        """Ask by a menu; the question is in the attachment, and sometimes nowhere else."""
        attachment = {"__typename": "QuickReplyMenuAttachment", "message": text, "choices": list(choices)}
        self.scene.operator(speaker, self.rng.choice((None, "", text)), attachment, asks=asks)

    def reply(self, topic: str) -> None:
        """Let the visitor answer, in one message or several."""
        question = self.scene.language.questions[topic]
        picked = self.rng.choice(question.answers)
        if question.choices and self.rng.random() < 0.3:  # noqa: PLR2004  (a click on the menu)
            picked = (self.rng.choice(question.choices),)
        for text in picked:
            self.scene.reply(text)

    def ask_contact(self, speaker: Operator, number: int) -> None:
        """Ask for the e-mail, which a visitor may refuse."""
        self.scene.operator(speaker, self.marked(number, self.scene.language.ask_email), asks=(f"Q{number}",))
        address = self.scene.person.profile["email"]
        if address:
            self.scene.reply(address)
        else:
            self.scene.write_contact(self.scene.reply)

    def ask_name(self, speaker: Operator) -> None:
        """Ask a question without a marker: what the visitor says is no answer that could be pointed at."""
        self.scene.operator(speaker, self.scene.language.ask_name)
        self.scene.visitor(
            self.scene.person.profile["firstName"] or self.scene.person.profile["lastName"] or "X"
        )

    def chatter(self, speaker: Operator, rounds: int, *, after_a_reply: bool = False) -> None:
        """Exchange messages that ask and answer nothing."""
        for turn in range(rounds):
            self.scene.operator(speaker, self.rng.choice(self.scene.language.chat))
            say = self.scene.aside if after_a_reply and not turn else self.scene.visitor
            say(self.rng.choice(self.scene.language.visitor_chat))

    def part(self, speaker: str | Operator) -> None:
        """Ask where to write to the visitor, if need be, and say good-bye."""
        if self.scene.has_contact_to_write:
            self.scene.operator(speaker, self.scene.language.ask_email)
            self.scene.write_contact()
        self.scene.operator(speaker, self.scene.language.bye)
        if self.rng.random() < 0.5:  # noqa: PLR2004  (half of the visitors are polite)
            self.scene.visitor(self.scene.language.thanks)
        self.scene.system("ConversationClosedSystemAttachment")

    def topics(self, count: int) -> list[str]:
        """Return some topics, each once."""
        return self.rng.sample(TOPICS, count)


def bot_then_agent(stage: Cast) -> None:
    """A bot qualifies the visitor, then an agent takes over."""
    stage.scene.visitor(stage.rng.choice(stage.scene.language.visitor_hello))
    stage.enter(stage.bot)
    topics = stage.topics(3)
    for number, topic in enumerate(topics, start=1):
        stage.ask(stage.bot, number, topic)
        stage.reply(topic)
    stage.ask_contact(stage.bot, len(topics) + 1)
    stage.transfer(stage.agents[0])
    stage.chatter(stage.agents[0], 3)
    stage.part(stage.agents[0])


def agent_prepared(stage: Cast) -> None:
    """An agent uses pre-recorded questions, with words in between."""
    agent = stage.agents[0]
    stage.enter(agent)
    stage.scene.visitor(stage.rng.choice(stage.scene.language.visitor_hello))
    for number, topic in enumerate(stage.topics(2), start=1):
        stage.ask(agent, number, topic)
        stage.reply(topic)
        stage.chatter(agent, 1, after_a_reply=True)
    stage.ask_name(agent)
    stage.part(agent)


def bot_menus(stage: Cast) -> None:
    """A bot that asks by menus only."""
    stage.enter(stage.bot)
    question = stage.scene.language.questions["vehicle"]
    stage.menu(stage.bot, stage.marked(1, question.ask), question.choices, asks=("Q1",))
    stage.scene.reply(stage.rng.choice(question.choices))
    stage.ask_contact(stage.bot, 2)
    stage.part(stage.bot)


def asked_again(stage: Cast) -> None:
    """A question that is asked three times: answered, answered better, ignored."""
    stage.enter(stage.bot)
    stage.ask(stage.bot, 1, "budget")
    stage.reply("budget")
    stage.ask(stage.bot, 2, "city")
    stage.ask(stage.bot, 1, "budget")
    stage.reply("budget")
    stage.ask(stage.bot, 2, "city")
    stage.reply("city")
    stage.ask(stage.bot, 1, "budget")
    stage.scene.system("ConversationClosedSystemAttachment")


def unanswered(stage: Cast) -> None:
    """The visitor leaves before the last questions."""
    stage.enter(stage.bot)
    stage.scene.write_contact()
    stage.ask(stage.bot, 1, "vehicle")
    stage.reply("vehicle")
    stage.ask(stage.bot, 2, "budget")
    stage.scene.reply(None, _image())
    stage.ask(stage.bot, 3, "delay")
    stage.scene.system("VisitorLeftSystemAttachment")
    stage.scene.system("ConversationClosedSystemAttachment")


def automatic_question(stage: Cast) -> None:
    """The question is in an automatic message of the system."""
    scene = stage.scene
    scene.visitor(stage.rng.choice(scene.language.visitor_hello))
    question = scene.language.questions["vehicle"]
    scene.automatic(stage.marked(1, f"{scene.language.automatic} {question.ask}"), asks=("Q1",))
    stage.reply("vehicle")
    stage.enter(stage.agents[0])
    stage.chatter(stage.agents[0], 2)
    stage.part(stage.agents[0])


def long_talk(stage: Cast) -> None:
    """More than a page of messages, with questions on the first and the last pages."""
    agent = stage.agents[0]
    stage.enter(stage.bot)
    stage.ask(stage.bot, 1, "vehicle")
    stage.reply("vehicle")
    stage.transfer(agent)
    stage.chatter(agent, stage.rng.randint(55, 130))
    stage.ask(agent, 2, "project")
    stage.reply("project")
    stage.chatter(agent, 3, after_a_reply=True)
    stage.ask(agent, 3, "delay")
    stage.reply("delay")
    stage.part(agent)


def small_talk(stage: Cast) -> None:
    """No marked question is asked; a marker that the visitor writes is no question."""
    stage.enter(stage.agents[0])
    stage.scene.visitor(f"[](Q1) {stage.scene.language.questions['city'].ask}")
    stage.chatter(stage.agents[0], 4)
    stage.part(stage.agents[0])


def odd_markers(stage: Cast) -> None:
    """Markers in the middle, two in one message and one escaped."""
    scene, bot = stage.scene, stage.bot
    questions = scene.language.questions
    stage.enter(bot)
    scene.operator(bot, f"OK! [](Q1) {questions['vehicle'].ask}", asks=("Q1",))
    stage.reply("vehicle")
    stage.ask(bot, 2, "budget", marker=ESCAPED_MARKER)
    stage.reply("budget")
    both = f"[](Q3) {questions['delay'].ask}\n[](Q4) {questions['city'].ask}"
    scene.operator(bot, both, asks=("Q3", "Q4"))
    stage.reply("city")
    stage.part(bot)


def several_contacts(stage: Cast) -> None:
    """Bot, agent, another agent, and the first again; the visitor talks on after a transfer."""
    first, second = stage.agents
    stage.enter(stage.bot)
    stage.ask(stage.bot, 1, "project")
    stage.reply("project")
    stage.scene.system("TransferredToRoutingRuleSystemAttachment")
    stage.enter(first)
    stage.scene.visitor(stage.rng.choice(stage.scene.language.visitor_chat))
    stage.ask(first, 2, "delay")
    stage.reply("delay")
    stage.ask_name(first)
    stage.transfer(second)
    stage.ask(second, 10, "city", marker="[](Q{n}) ")
    stage.reply("city")
    stage.transfer(first)
    stage.part(first)


def long_answers(stage: Cast) -> None:
    """Answers over several messages with the agent between, and an answer that is very long."""
    agent, scene = stage.agents[0], stage.scene
    stage.enter(agent)
    stage.ask(agent, 1, "project")
    for text in scene.language.questions["project"].answers[0]:
        scene.reply(text)
        scene.operator(agent, scene.rng.choice(scene.language.chat))
    stage.ask(agent, 2, "budget")
    sentences = [text for question in scene.language.questions.values() for text in question.answers[0]]
    scene.reply("\n".join(sentences * 8))
    stage.ask_contact(agent, 3)
    stage.part(agent)


def attachments(stage: Cast) -> None:
    """Files, cards, links and products, and visitors who send pictures."""
    agent, scene = stage.agents[0], stage.scene
    stage.enter(agent)
    stage.ask(agent, 1, "vehicle")
    scene.reply(None, _image())
    stage.reply("vehicle")
    scene.operator(agent, None, *_brand_attachments())
    scene.aside(scene.rng.choice(scene.language.visitor_chat), _file("devis été.pdf", "application/pdf"))
    stage.ask(agent, 2, "delay")
    stage.reply("delay")
    stage.part(agent)


def social(stage: Cast) -> None:
    """The brand's account on a social channel asks, beside an agent."""
    agent, scene = stage.agents[0], stage.scene
    scene.visitor(scene.rng.choice(scene.language.visitor_hello))
    stage.enter(agent)
    stage.ask("brand", 1, "vehicle")
    stage.reply("vehicle")
    stage.ask(agent, 2, "city")
    stage.reply("city")
    stage.part("brand")


def no_operator(stage: Cast) -> None:
    """The visitor waits, writes an e-mail address, and leaves; no operator takes part."""
    scene = stage.scene
    scene.visitor(scene.rng.choice(scene.language.visitor_hello))
    scene.automatic(scene.language.automatic)
    scene.write_contact()
    scene.system("VisitorLeftSystemAttachment")
    scene.system("ConversationClosedSystemAttachment")


def expert(stage: Cast) -> None:
    """An outside expert answers."""
    stage.enter(stage.expert)
    stage.ask(stage.expert, 1, "vehicle")
    stage.reply("vehicle")
    stage.part(stage.expert)


def bot_alone(stage: Cast) -> None:
    """A bot's conversation that closes by itself after five minutes of silence."""
    stage.enter(stage.bot)
    for number, topic in enumerate(stage.topics(2), start=1):
        stage.ask(stage.bot, number, topic)
        stage.reply(topic)
    stage.ask_contact(stage.bot, 3)
    stage.scene.now += 300.0
    stage.scene.system("ConversationClosedSystemAttachment")


PLOTS: tuple[Callable[[Cast], None], ...] = (
    bot_then_agent,
    agent_prepared,
    bot_menus,
    asked_again,
    unanswered,
    automatic_question,
    bot_then_agent,
    small_talk,
    odd_markers,
    long_answers,
    several_contacts,
    long_talk,
    attachments,
    social,
    bot_then_agent,
    no_operator,
    expert,
    bot_alone,
    agent_prepared,
    bot_menus,
)
"""Used in rotation: twenty conversations in a row have every plot."""


def _image() -> Mapping[str, object]:
    return {
        "__typename": "ImageAttachment",
        "url": "https://files.example/photo-1.jpg",
        "fileName": "photo 1.jpg",
        "mimeType": "image/jpeg",
    }


def _file(name: str, kind: str) -> Mapping[str, object]:
    return {
        "__typename": "FileAttachment",
        "url": "https://files.example/d1",
        "fileName": name,
        "mimeType": kind,
    }


def _brand_attachments() -> list[Mapping[str, object]]:
    link = {"url": "https://brand.example/suv", "title": "See more"}
    image = {"url": "https://brand.example/suv.jpg", "description": "A car"}
    card = {
        "__typename": "CardAttachment",
        "title": "Delivery & Pickup",
        "text": "Learn more about delivery times.",
        "image": image,
        "actions": [link],
    }
    offer = {
        "__typename": "ProductOfferAttachment",
        "title": "SUV Hybrid",
        "priceText": "€18,499.99",
        "offerPriceText": "€17,299.99",
        "isAvailable": True,
        "image": image,
        "actions": [link],
    }
    return [
        card,
        {"__typename": "CardBundleAttachment", "cards": [card, card]},
        {"__typename": "LinkAttachment", **link},
        {"__typename": "FileBundleAttachment", "attachments": [_file("terms.pdf", "application/pdf")]},
        offer,
    ]
