"""Control tokens of chat templates: what they look like, and where a text has one, also one that is dressed up."""

from __future__ import annotations

import re

from pairwright.core.prompts.skeletons import GAP, UNSEEN, skeleton, spelled, spread

ANGLE = (
    *("bos", "eos", "pad", "unk", "sop", "eop", "think", "tools", "tool_call", "tool_response", "tool_result"),
    *("image", "video", "audio", "start_of_turn", "end_of_turn", "start_of_image", "end_of_image"),
    *("eoh", "eoa", "fim_prefix", "fim_middle", "fim_suffix", "end_of_utterance", "repo_name", "file_sep"),
    *("arg_key", "arg_value", "_user", "_bot", "_system", "_end", "_start", "tool_calls", "available_tools", "escape"),
    *("start_of_audio", "end_of_audio", "image_soft_token", "audio_soft_token", "fake_token_around_image"),
    *("BOS_TOKEN", "EOS_TOKEN", "IMG_CONTEXT", "im_start", "im_end", "im_patch", "fim_begin", "fim_hole", "fim_end"),
    *(f"longcat_{part}" for part in ("system", "user", "assistant", "s", "think", "tool_declare", "tool_call")),
    *(f"longcat_{part}" for part in ("arg_key", "arg_value", "unk", "pad", "tool_response")),
    *(f"{edge}_function_{part}" for edge in ("start", "end") for part in ("call", "declaration", "response")),
)
"""Names between angle brackets, beside ``s``."""
_SQUARE = (
    *("INST", "AVAILABLE_TOOLS", "TOOL_CALLS", "TOOL_RESULTS", "TOOL_CONTENT", "SYSTEM_PROMPT", "MODEL_SETTINGS"),
    *("CALL_ID", "gMASK", "sMASK", "IMG_BREAK", "IMG_END", "BEGIN_AUDIO"),
)
_SQUARE_CAPITALS = ("IMG", "ARGS", "THINK")  # small letters of these are words, or BBCode
_BARRED_SQUARE = ("system", "user", "assistant", "tool", "endofturn")

CONTROL = re.compile(
    # Line by line: ChatML, Llama 3 and (full width) DeepSeek; bars on one side; tags of Qwen, Gemma and others; EXAONE;
    # Llama 2; Mistral and GLM; MiniMax.
    r"<[|｜][^|｜<>]*[|｜]>"
    r"|<[|｜][a-z_]+>|<[a-z_]+[|｜]>|</?[|｜]DSML[|｜]"
    rf"|</?(?:s|{'|'.join(ANGLE)}|reserved_\d+|unused\d+|extra_id_\d+|SPECIAL_\d+|(?:seed|minimax):\w+)>"
    rf"|\[\|(?:{'|'.join(_BARRED_SQUARE)})\|\]"
    r"|<</?SYS>>"
    rf"|\[/?(?:{'|'.join((*_SQUARE, *_SQUARE_CAPITALS))}|UNUSED_TOKEN_\d+)\]"
    r"|\]~!?b[\]\[]|\]![dp]~\[|\[e~\[|\]<\][a-z ]+\[>\["
)

_THIN = f"{UNSEEN}*"
_INSIDE = r"[^|<>‹«\[【&]{0,64}"  # nothing that an escape changes: escaping twice is escaping once
_WORD = r"(?=[^\W\d][^|<>]{2})"
_ANY_SQUARE = rf"(?:{'|'.join(map(spelled, _SQUARE))}|UNUSED_TOKEN_\d+)"
_CAPITALS = "|".join(map(spelled, _SQUARE_CAPITALS))

BARRED = (
    rf"<(?={_THIN}\|{_THIN}{_INSIDE}\|{_THIN}>)"
    # Between brackets of quotes and of physics only a word is a token: ⟨|ψ|⟩ is none.
    rf"|[‹«](?={GAP}\|{GAP}{_WORD}{_INSIDE}\|{GAP}>)"
)
"""A pattern for skeletons: the first bracket of ``<|…|>``."""
SQUARE = (
    rf"[\[【](?={GAP}(?:[/\\]{GAP})?(?-i:{_ANY_SQUARE}){GAP}\])"
    # x[inst] is code.
    rf"|(?<![A-Za-z0-9_)\]])[\[【](?={GAP}(?:[/\\]{GAP})?(?i:{_ANY_SQUARE}){GAP}\])"
    rf"|\[(?={GAP}(?:[/\\]{GAP})?(?-i:{_CAPITALS}){GAP}\])"
    rf"|[\[【](?={_THIN}\|{_THIN}(?i:{'|'.join(map(spelled, _BARRED_SQUARE))}){_THIN}\|{_THIN}\])"
)
"""A pattern for skeletons: the first bracket of ``[INST]`` and its kind."""

MINIMAX = (
    rf"\](?={_THIN}(?:~{_THIN}(?:!{_THIN})?b{_THIN}[\]\[]|!{_THIN}[dp]{_THIN}~{_THIN}\[|<{_THIN}\][a-z {UNSEEN}]{{1,40}}\[{_THIN}>{_THIN}\[))"
    rf"|\[(?={_THIN}e{_THIN}~{_THIN}\[)"
)
"""A pattern for skeletons: the first bracket of ``]~b]`` and its kind."""

# The form in which tools stand in a prompt as text is ours: there these count however they are written.
_TOOLS = "|".join(map(spelled, ("tools", "tool_call", "tool_response", "tool_result")))

_DRESSED = re.compile(
    rf"{BARRED}|{SQUARE}|{MINIMAX}"
    rf"|[<‹](?={GAP}(?:[/\\]{GAP})?(?i:{_TOOLS})(?:{GAP}(?:/{GAP})?>|\s[^<>‹«&]{{0,64}}>))"
    rf"|<(?={_THIN}(?:/{_THIN})?(?:s|{'|'.join(_THIN.join(name) for name in ANGLE)}){_THIN}>)"
    rf"|[‹«](?={_THIN}/{_THIN}(?:s|{'|'.join(_THIN.join(name) for name in ANGLE)}){_THIN}>)"
    rf"|‹(?={_THIN}(?:{'|'.join(_THIN.join(name) for name in ANGLE)}){_THIN}>)"
    rf"|<(?={_THIN}<{_THIN}(?:/{_THIN})?{_THIN.join('SYS')}{_THIN}>)|«(?={GAP}(?:/{GAP})?{_THIN.join('SYS')}{GAP}>)"
)


def control_tokens(text: str) -> set[int]:
    """Where control tokens begin in ``text``."""
    plain, origins = spread(text)
    return {
        origins[found.start()]
        for pattern, where in ((CONTROL, plain), (_DRESSED, skeleton(plain)))
        for found in pattern.finditer(where)
    }


def holds_control_token(text: str) -> bool:
    """Whether a tokenizer, or one that folds look-alikes and drops what is not seen, finds a control token."""
    if CONTROL.search(text):
        return True
    return not text.isascii() and CONTROL.search(skeleton(spread(text)[0]).replace(UNSEEN, "")) is not None
