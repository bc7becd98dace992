"""Reviews in English and Chinese, and a column of text that is read."""

import numpy as np
import polars as pl

from deltaprop.tabular import TableEncoder
from deltaprop.tabular.encoding.vocabulary import Vocabulary

REVIEWS = [
    "A wonderful plot and a wonderful cast.",
    "The plot is thin, the cast is tired.",
    "I loved every minute of this film.",
    "I hated every minute of that film.",
    "The music was lovely but far too loud.",
    "Far too long, and the ending is silly.",
    "What a lovely film for a rainy evening.",
    "The ending made all of us cry.",
    "My children loved the dog and the music.",
    "The dog is the best actor in it.",
    "A silly film with a big heart.",
    "We left before the ending, it was so dull.",
    "Dull, dull, dull from the first minute.",
    "The first half is great, the second is not.",
    "Not great, but I liked the songs.",
    "The songs are great and so is she.",
    "She is the heart of this lovely film.",
    "He is badly cast and the plot is a mess.",
    "A mess of a film, but what a finale!",
    "The finale alone is worth the ticket.",
    "I want the price of the ticket back.",
    "Back to the beginning, said my son, and clapped.",
]


CHINESE = [
    "这部电影非常好看，我很喜欢。", "故事太长了，看得我想睡觉。", "演员演得好，音乐也很好听。",
    "不好看，浪费时间和钱。", "孩子们很喜欢这部动画片。", "结局让我哭了很久很久。",
    "画面漂亮，可是故事一般。", "这是今年最好看的电影。", "太吵了，我们提前走了。",
    "导演的新片让人很失望。", "笑得肚子疼，非常好看。", "一部温暖的家庭电影。",
    "看完以后我想再看一次。", "剧本写得很差，演员也累。", "音乐好听，结局感人。",
    "我不喜欢这个结局，太假。", "孩子睡着了，我也想睡觉。", "朋友推荐的，果然很好看。",
    "动作场面多，故事却很少。", "一般，不好也不坏。", "配音很差，听不清楚。",
    "温暖又好笑，推荐给大家。",
]  # fmt: skip


def column(cells, **beside_it):
    return TableEncoder.fit({"c": cells, "n": list(range(len(cells))), **beside_it}).columns[0]


def fitted(cells):
    return Vocabulary.fit(pl.Series(cells, dtype=pl.String))


def encoded(vocabulary, *cells):
    return vocabulary.encode(pl.Series(list(cells), dtype=pl.String)).toarray()


def terms(vocabulary, cell):
    """The terms found in one cell, by their names."""
    row = encoded(vocabulary, cell)[0]
    return {vocabulary.names[i].strip('"') for i in np.flatnonzero(row)}
