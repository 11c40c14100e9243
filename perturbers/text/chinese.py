"""Chinese nouns without a parser: which word names an entity's class, and which pronoun stands for it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NounClass:
    """A kind of thing: how it is counted, named and pointed at, and what the names of such things end in."""

    name: str
    measure: str
    noun: str
    pronouns: tuple[str, ...]
    endings: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()


CLASSES = (
    NounClass(
        "hotel",
        "家",
        "酒店",
        ("那里", "它"),
        ("酒店", "宾馆", "旅店", "旅馆", "客栈", "招待所", "民宿", "饭店", "会议中心", "公寓"),
        ("酒店", "宾馆", "住宿", "房间"),
    ),
    NounClass(
        "restaurant",
        "家",
        "餐馆",
        ("那里", "它"),
        (
            "餐馆",
            "餐厅",
            "饭馆",
            "菜馆",
            "火锅",
            "烤鸭店",
            "小吃店",
            "酒楼",
            "食府",
            "面馆",
            "饭庄",
            "烤肉",
            "自助",
            "铁板烧",
        ),
        ("餐馆", "饭店", "人均消费", "推荐菜", "吃"),
    ),
    NounClass(
        "sight",
        "个",
        "景点",
        ("那里", "它"),
        (
            "公园",
            "景区",
            "博物馆",
            "长城",
            "故宫",
            "寺",
            "庙",
            "塔",
            "楼",
            "山",
            "湖",
            "园",
            "广场",
            "艺术区",
            "美术馆",
            "展览馆",
            "大剧院",
            "剧场",
            "街",
            "谷",
            "镇",
            "村",
            "海洋馆",
            "动物园",
            "胡同",
            "教堂",
            "府",
            "馆",
            "宫",
            "门",
            "乐园",
            "农场",
            "书店",
        ),
        ("景点", "门票", "游玩", "开放"),
    ),
    NounClass(
        "film",
        "部",
        "电影",
        ("它",),
        ("电影", "影片", "片子", "电视剧", "纪录片"),
        ("电影", "影片", "上映", "票房", "主演", "导演", "片长"),
    ),
    NounClass("album", "张", "专辑", ("它",), ("专辑", "唱片集"), ("专辑",)),
    NounClass("song", "首", "歌", ("它",), ("歌曲", "单曲", "歌"), ("歌", "演唱", "作词", "填词", "谱曲")),
    NounClass("band", "个", "乐队", ("他们",), ("乐队", "乐团", "组合"), ("乐队", "乐团", "组合")),
    NounClass(
        "company", "家", "公司", ("它",), ("公司", "集团", "银行", "唱片", "企业", "厂"), ("公司", "旗下", "总部")
    ),
    NounClass(
        "school", "所", "学校", ("那里", "它"), ("大学", "学院", "中学", "小学", "学校"), ("学校", "招生", "专业")
    ),
    NounClass("book", "本", "书", ("它",), ("小说", "书", "词典", "手册"), ("书", "小说", "作者")),
    NounClass("train", "趟", "车", ("它",), ("次列车", "高铁", "动车"), ("车次", "列车", "车票")),
    NounClass("phone", "款", "手机", ("它",), ("手机",), ("手机", "屏幕", "电池")),
    NounClass(
        "city", "个", "城市", ("那里", "那边"), ("市", "县", "省", "州"), ("天气", "气温", "城市", "机票", "航班")
    ),
    NounClass(
        "product",
        "个",
        "产品",
        ("它",),
        ("产品", "软件", "系统", "应用", "套餐", "保险", "卡"),
        ("产品", "软件", "功能", "套餐"),
    ),
    NounClass("disease", "种", "病", ("它",), ("病", "炎", "症", "癌"), ("症状", "治疗", "治愈")),
    NounClass(
        "person",
        "个",
        "人",
        ("他", "这个人"),
        ("先生", "女士", "老师", "导演", "歌手", "演员"),
        ("他是", "她是", "出生", "歌手", "演员", "导演", "导师", "毕业"),
    ),
)
BY_NAME = {item.name: item for item in CLASSES}
PEOPLE = NounClass("people", "些", "人", ("他们",))
OTHER = NounClass("thing", "个", "", ("它", "这个"))

_ASKS_OF_A_PERSON = re.compile(r"出生|多大|岁数|哪里人|今年|毕业|演过|的作品|身高|星座|生日")
_NO_PERSON = re.compile(r"[洲国奖节街路城店馆园区站市县省月日年元分歌曲片家店门桥寺庙山湖]$")
_PARENTHESIS = re.compile(r"[（(][^（()）]*[）)]?$")
_FOREIGN_NAME = re.compile(r"^[\u4e00-\u9fff]{1,6}[·•・][\u4e00-\u9fff·•・]{1,14}$")
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂"
    "焦向柳邢路岳齐梅莫庄辛管祝左涂谷时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边"
)
EDGE_WORDS = (
    "的",
    "了",
    "是",
    "有",
    "在",
    "和",
    "与",
    "从",
    "到",
    "吗",
    "呢",
    "啊",
    "呀",
    "哦",
    "也",
    "就",
    "们",
    "，",
    "。",
    "？",
    "、",
    "！",
    "：",
    "；",
    ",",
    ".",
    "?",
    " ",
)


def bare_name(text: str) -> str:
    """The name without a branch in brackets: 海底捞火锅(西单店) → 海底捞火锅."""
    return _PARENTHESIS.sub("", text.strip('《》“”"「」'))


def classify(name: str, replaced: str = "", around: str = "", asked: str = "") -> NounClass:
    """The class of an entity: by what the query called it, by its own ending, then by the words around it.

    ``replaced`` is what stood in the query at its place (这个景点), ``around`` the text near its mention in the
    dialogue, ``asked`` what the rewrite says right after it (counts double).
    """
    for text in (replaced, "" if "《" in name else bare_name(name)):
        named = _by_ending(text)
        if named is not None:
            return named
    works = ("film", "album", "song", "book")
    candidates = [item for item in CLASSES if item.name != "person" and ("《" not in name or item.name in works)]
    cues = [(sum(around.count(cue) + 2 * asked.count(cue) for cue in item.cues), item) for item in candidates]
    best = max(cues, key=lambda pair: pair[0])
    if "们" in replaced and not _looks_like_a_person(name, ""):
        return BY_NAME["band"] if best[1].name == "band" or "乐" in around else PEOPLE
    if _looks_like_a_person(name, replaced) or ("《" not in name and _ASKS_OF_A_PERSON.search(asked)):
        return BY_NAME["person"]
    return best[1] if best[0] else OTHER


def is_name_like(text: str) -> bool:
    """Whether the text can be a name by its form: a title, a person, a model number, or something that ends like a place."""
    if len(text) > 14 or re.search(r"[几吗呢]|什么|多少|怎么|哪|多久", text):
        return False
    return (
        "《" in text
        or bool(re.search(r"[A-Za-z0-9]", text))
        or _by_ending(bare_name(text)) is not None
        or _looks_like_a_person(text, "")
    )


def is_full_class(name: str) -> bool:
    """Whether the text is nothing but a class noun (酒店, 这家餐馆): no entity."""
    stripped = re.sub(r"^[这那该此]?(?:[一两几些]?[个家部张首座处款本种位]?)", "", name)
    return any(stripped in (item.noun, *item.endings) and len(stripped) > 1 for item in CLASSES) or stripped in (
        "人",
        "歌",
        "地方",
        "东西",
    )


def split_opening(body: str) -> tuple[str, str]:
    """Chinese: the opening 好的，我记下了， stays in front, and a 那 that leads the request goes."""
    opening = re.match(
        r"(?:(?:那?好|嗯|哦|行|是|恩|收到|OK|知道了|哈哈|真|对了|太好了|那到是|啊|满好|不错|我记下|可以|没事)[^，。]{0,8}[，。])*",
        body,
    )
    start = opening.end() if opening else 0
    rest = body[start:]
    return body[:start], re.sub(r"^那么?(?![里边个家首部张位])", "", rest)


def family(kind: NounClass) -> str:
    """Classes whose members are easily mixed up: places, works, or people."""
    for name, members in (
        ("place", ("hotel", "restaurant", "sight", "school", "company", "city")),
        ("work", ("film", "album", "song", "book")),
        ("people", ("person", "people", "band")),
    ):
        if kind.name in members:
            return name
    return kind.name


def _by_ending(text: str) -> NounClass | None:
    matches = [
        (len(ending), item)
        for item in CLASSES
        for ending in (*item.endings, item.noun)
        if ending and text.endswith(ending)
    ]
    return max(matches, key=lambda pair: pair[0])[1] if matches else None


def _looks_like_a_person(name: str, replaced: str) -> bool:
    if "《" in name:
        return False
    if any(pronoun in replaced for pronoun in "他她") and "家" not in replaced:
        return True
    if _NO_PERSON.search(name):
        return False
    return bool(_FOREIGN_NAME.match(name)) or (2 <= len(name) <= 3 and name[0] in _SURNAMES)
