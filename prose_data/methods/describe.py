"""One-shot "describe this writer": the plain question that any method that iterates or verifies has to beat.

Nothing is learned but the samples. For each document the inferrer sees the texts of those related to it side by side, no
draft and no document, and describes their author in one reply.
"""

from functools import partial

from prose_data.config import Config, Retrieval
from prose_data.llm.ask import ask_line
from prose_data.llm.types import LLM
from prose_data.methods.baselines import remember
from prose_data.methods.components import distinct, items, joined
from prose_data.methods.retrieval import related
from prose_data.methods.types import Memory, Method, Preference
from prose_data.prompts import Fragment, render, render_fragment
from prose_data.values import Document


async def _recall(
    memory: Memory, document: Document, llm: LLM, *, retrieve: int, retrieval: Retrieval
) -> Preference:
    """Return what one look at the samples gives; nothing for a reply that can't be read, as nothing else is kept."""
    texts = [memory[place].example.text for place in related(memory, document, retrieve, retrieval)]
    if not texts:
        return Preference()
    shown = "\n\n".join(
        render_fragment("describe_text", number=str(number), text=text)
        for number, text in enumerate(texts, 1)
    )
    messages = render("describe_infer", texts=Fragment(shown))
    described = await ask_line(llm, messages, "inferrer", "Preferences")
    components = distinct(items(described or ""))
    return Preference(components, joined(components))


def describe(config: Config) -> Method:
    """Return the one-shot description of at most `prose.retrieve` related samples."""
    recall = partial(_recall, retrieve=config.prose.retrieve, retrieval=config.retrieves)
    return Method(recall, remember, infers=True, drafts=False)
