"""The chat completion protocol as bytes: a request's body, the answer in a response's body, what an error says.

Pure functions, no network. The form is that of OpenAI's ``POST /v1/chat/completions``, which vLLM, llama.cpp, SGLang
and most hosted services speak.
"""

from __future__ import annotations

import json
import math
import re
from collections import deque
from collections.abc import Iterable
from typing import Any

from pairwright.core.records import Turn
from pairwright.core.requests import Answer, ChatRequest, Message, TokenLogprob
from pairwright.core.tool_calls import argument_text
from pairwright.core.untrusted_json import read_json, well_formed

_QUOTED = 16  # characters in a row that an error has from the request: then it quotes it
_QUOTED_KEY = 10  # the same for the key
_MOST_TOKENS = 2**31
_UNKNOWN_MODEL = re.compile(
    r"model.{0,80}(not (found|exist)|does not exist|unknown)|(unknown|invalid|no such) model", re.IGNORECASE | re.DOTALL
)


def request_body(request: ChatRequest, model: str) -> bytes:
    """The JSON body that asks ``model`` for ``request``."""
    body: dict[str, Any] = {
        "model": model,
        "messages": chat_messages(request.messages),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
    }
    if request.json_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": request.schema_name, "strict": True, "schema": request.json_schema},
        }
    if request.tools:
        body["tools"] = json.loads(request.tools)
    if request.top_logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    return well_formed(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()


def chat_messages(turns: Iterable[Message | Turn]) -> list[dict[str, Any]]:
    """The turns as OpenAI's messages; calls are numbered through, and results answer them in order.

    Every call must have an answer there: where one result stands for several calls, the others' are empty.
    """
    messages: list[dict[str, Any]] = []
    waiting: deque[str] = deque()
    for turn in turns:
        if turn.role != "tool":
            messages += ({"role": "tool", "content": "", "tool_call_id": name} for name in waiting)
            waiting.clear()
        body: dict[str, Any] = {"role": turn.role, "content": turn.content}
        if turn.calls:
            waiting.extend(f"call_{len(messages)}_{number}" for number in range(len(turn.calls)))
            body["tool_calls"] = [
                {"id": name, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for name, call in zip(waiting, turn.calls, strict=True)
            ]
        elif turn.role == "tool" and waiting:
            body["tool_call_id"] = waiting.popleft()
        messages.append(body)
    if messages[-1:] and messages[-1]["role"] == "tool":
        messages += ({"role": "tool", "content": "", "tool_call_id": name} for name in waiting)
    return messages


def prompt_token_bound(body: bytes) -> int:
    """The most tokens that the prompt in ``body`` can have: no byte-level tokenizer makes more than one per byte."""
    return len(body)


def token_estimate(size: int) -> int:
    """About how many tokens ``size`` bytes of text are: Chinese and English text both come to a third."""
    return size // 3


def read_answer(body: bytes, request_hash: str, asked_bytes: int, latency: float, model: str) -> Answer:
    """The answer in a response's body.

    A server that reports no usage, or one that cannot be, is counted by estimate. ``latency`` is in seconds.

    Raises:
        ValueError: no JSON, or no answer in it; the message does not quote the body.
    """
    try:
        data = read_json(body)
    except ValueError:
        raise ValueError("HTML instead of JSON" if body.lstrip()[:1] == b"<" else "a body that is no JSON") from None
    try:
        choice = data["choices"][0]
        message = choice["message"]
        refusal = message.get("refusal")
        # Calls before words: what is said beside a call has no place in a chat template.
        text = well_formed(refusal or _called(message.get("tool_calls")) or message.get("content") or "")
        usage = data.get("usage") or {}
        return Answer(
            request_hash=request_hash,
            model=well_formed(str(data.get("model") or model)),
            text=text,
            finish_reason="refusal" if refusal else well_formed(str(choice.get("finish_reason") or "unknown")),
            prompt_tokens=_counted(usage, "prompt_tokens", asked_bytes),
            completion_tokens=_counted(usage, "completion_tokens", len(text.encode())),
            logprobs=_logprobs(choice.get("logprobs")),
            latency=latency,
        )
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError):
        raise ValueError("a JSON body without an answer in choices[0].message") from None


def _counted(usage: dict[str, Any], key: str, size: int) -> int:
    """The tokens that a server says it used: never fewer than none, which would give a budget back, nor beyond all reason."""
    said = int(usage.get(key, token_estimate(size)))
    return said if 0 <= said < _MOST_TOKENS else token_estimate(size)


def _called(calls: Any) -> str:
    """The text of an answer that calls tools; arguments that are no JSON object stay the text that they are."""
    found = []
    for call in calls or ():
        name, arguments = call["function"]["name"], call["function"].get("arguments")
        try:
            found.append({"name": name, "arguments": json.loads(argument_text(arguments))})
        except ValueError:
            found.append({"name": name, "arguments": arguments})
    return json.dumps(found, ensure_ascii=False) if found else ""


def _logprobs(found: Any) -> tuple[TokenLogprob, ...]:
    return tuple(
        TokenLogprob(
            token=well_formed(item["token"]),
            logprob=_finite(item["logprob"]),
            top=_alternatives(item.get("top_logprobs") or ()),
        )
        for item in (found or {}).get("content") or ()
    )


def _alternatives(items: Any) -> dict[str, float]:
    top: dict[str, float] = {}
    for item in items:
        # Pieces of characters all read U+FFFD: the first of them, the likeliest, stands for them.
        top.setdefault(well_formed(item["token"]), _finite(item["logprob"]))
    return top


def _finite(value: float | None) -> float:
    """Servers write minus infinity as null, as -Infinity or as a huge number; JSON rows need a number."""
    return max(value, -9999.0) if value is not None and not math.isnan(value) else -9999.0


def error_details(body: bytes) -> tuple[str, str]:
    """``(code, message)`` of an error body in OpenAI's form, or in a plain ``detail`` / ``message`` one; else empty."""
    try:
        data = read_json(body)
    except ValueError:
        return "", ""
    if isinstance(data, dict) and isinstance(data.get("error"), dict):
        data = data["error"]
    if not isinstance(data, dict):
        return "", ""
    message = data.get("message") or data.get("error") or data.get("detail") or ""
    code = data.get("code") or data.get("type") or ""
    return str(code), message if isinstance(message, str) else ""


def names_unknown_model(code: str, message: str) -> bool:
    """Whether an error says that the server does not have the model."""
    return code == "model_not_found" or bool(_UNKNOWN_MODEL.search(message))


def quotable(message: str, key: str | None, asked: bytes) -> str:
    """``message`` of a server cut to one short line, without the key; empty when it quotes the request, or part of the key."""
    line = " ".join(message.split())
    if key:  # names of hosts come back in small letters
        line = re.sub(re.escape(key), "***", line, flags=re.IGNORECASE)
    # Servers repeat a wrong key, some of them with stars in its middle.
    line = re.sub(r"\bsk-[\w*.-]+", "***", line)[:200]
    prompt, squeezed, secret = asked.decode(), "".join(line.split()).lower(), (key or "").lower()
    told = any(secret[start : start + _QUOTED_KEY] in squeezed for start in range(len(secret) - _QUOTED_KEY + 1))
    asked_for = any(line[start : start + _QUOTED] in prompt for start in range(max(1, len(line) - _QUOTED + 1)))
    return "" if told or asked_for else line
