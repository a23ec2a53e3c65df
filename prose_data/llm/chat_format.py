"""Chat formats: how a model's messages become the text that its completions endpoint reads.

An endpoint adds the begin token itself, so none is written here. Turns are kept apart by marks that the endpoint reads as
tokens of their own; a message that holds one would forge a turn, and has no text here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prose_data.llm.types import Message


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """The text before and behind each message, the end token of a reply, and the begin token that an endpoint adds.

    `begin` is "" for models that know none. `mark` matches what a message must not hold.
    """

    begin: str
    before: str
    behind: str
    end: str
    mark: re.Pattern[str]

    def prompt(self, messages: Sequence[Message]) -> str | None:
        """Return the text of `messages` up to where the reply begins; None if a message holds a mark."""
        if any(self.mark.search(message["content"]) for message in messages):
            return None
        turns = [
            self.before.format(role=message["role"]) + message["content"].strip() + self.behind
            for message in messages
        ]
        return "".join((*turns, self.before.format(role="assistant")))

    def reply(self, text: str) -> str | None:
        """Return the text of a reply: trailing newlines off, the end token on; None if it holds a mark."""
        return None if self.mark.search(text) else text.rstrip("\n") + self.end


CHAT_FORMATS: Mapping[str, ChatFormat] = {
    "chatml": ChatFormat(
        begin="",
        before="<|im_start|>{role}\n",
        behind="<|im_end|>\n",
        end="<|im_end|>",
        mark=re.compile(r"<\|(?:im_start|im_end|endoftext)\|>"),
    ),
    "llama3": ChatFormat(
        begin="<|begin_of_text|>",
        before="<|start_header_id|>{role}<|end_header_id|>\n\n",
        behind="<|eot_id|>",
        end="<|eot_id|>",
        mark=re.compile(r"<\|(?:begin_of_text|end_of_text|start_header_id|end_header_id|eot_id)\|>"),
    ),
}
