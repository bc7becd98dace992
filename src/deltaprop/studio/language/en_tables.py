"""English words about tables."""

__all__ = ["WORDS"]

WORDS = {
    "set penguins": "Penguins",
    "set digits": "Handwritten digits",
    "set own": "Your own table…",
    "about penguins": (
        "Three species of penguins, and what was measured of 344 of them (Gorman, Palmer "
        "Station LTER; CC0)."
    ),
    "about digits": (
        "Handwritten digits of 8 × 8 pixels (Alpaydin and Kaynak 1998, UCI; CC BY 4.0)."
    ),
    "about own": (
        "A table of your own: rows, with the names of the columns in the first line. It stays "
        "on this computer."
    ),
    "own table hint": "Choose a CSV file, or drop one anywhere on this page",
    "pixels": "{size} pixels",
    "tables": "Tables",
    "reading": "Reading {name} …",
    "table lacking": (
        "This address is of the table {name}, which is not open here. Choose the file again."
    ),
    "left out by you": "left out",
    "code too large": (
        "The table has more rows than this page knows, and so more than a script can repeat."
    ),
    "so many missing": "{n} missing",
    "rows of table": "{rows} rows.",
    "it asks for": "It asks for",
    "as it was found": "as found: {task}",
    "task classes": "classes",
    "task numbers": "a number",
    "columns": "Columns",
    "and more": "and {n} more",
    "split again": "Other rows held out",
    "how columns become numbers": "How columns become numbers",
    "about encoding": (
        "A number x becomes s (x − median), where 1/s is the range of the middle half of the "
        "column, and then x / √(1 + (x/3)²), so that nothing lies beyond ±3. A missing number "
        "becomes the median, and a column of its own says where it is missing. Two words "
        "become −1 and +1; of several each has a column of its own (one-hot). All is fitted to "
        "the rows that are learnt from, as deltaprop train does it."
    ),
    "about pictures": (
        "Each pixel is an input, divided by the largest, so that it lies between 0 and 1."
    ),
    "plane": "Plane",
    "principal axes": "principal axes",
    "two inputs": "two inputs",
    "axis across": "Axis to the right",
    "axis up": "Axis upwards",
    "others at their mean": "The other inputs stay at their mean.",
    "about principal axes": (
        "The plane through the mean in which the rows differ most (principal component analysis)."
    ),
    "sample as picture": "The sample as a picture",
    "ask too large": (
        "The steps of networks of up to {most} products are shown number by number; this one "
        "has {products}."
    ),
    "became itself": "as it is",
    "became number": "median {center}, scale {scale}",
    "became number with gaps": "missing ones marked in a column of their own",
    "became number with strays": "{strays} cells that are no numbers taken as missing",
    "became two values": "{low} = −1, {high} = +1",
    "became categories": "one-hot, {n} categories",
    "became rarer categories": "{n} rarer ones as if unknown",
    "became constant": "left out: every cell is {only}",
    "became constant but missing": "marked where missing; every other cell is {only}",
    "became empty": "left out: no cell has a value",
    "became names": (
        "left out: {different} of its {cells} cells are different, so they are names or text"
    ),
    "became words that never return": "left out: none of its {different} words returns",
    "became picture": "divided by {largest}",
    "became other": (
        "left out: dates, text or long numbers, which the server knows (deltaprop studio FILE)"
    ),
    "note no header": "Its first line holds data: the columns are called column_1 to column_{n}.",
    "note encoding": "Its text was read as {encoding}.",
    "note first part": (
        "The file has {size} MB: of it this page reads the first {rows} rows. deltaprop studio "
        "FILE reads all of them."
    ),
    "note sampled": "Of {rows} rows {taken} are taken, by chance.",
    "note target missing": "In {missing} rows the target is missing: they are left out.",
    "the target holds words": "The target holds words.",
    "the target holds fractions": "The target holds numbers with fractions.",
    "the target holds few numbers": "The target holds {d} different whole numbers in {n} rows.",
    "the target holds years": "The target holds {d} whole numbers that look like years.",
    "the target holds many numbers": "The target holds {d} different whole numbers in {n} rows.",
    "table binary": "This file is no text: expected a table as CSV.",
    "table empty": "{name} is empty: expected a line of names and at least one row.",
    "table only header": "{name} has a line of names and no rows.",
    "table one column": (
        "{name} has one column: expected a target and something to learn it from. Is the "
        "separator a comma, semicolon or tab?"
    ),
    "table too wide": "The table has {columns} columns; this page takes up to {most}.",
    "table ragged": (
        "Row {row} has {found} cells, where the first row has {expected}. Put a cell with a "
        "comma in it in double quotes."
    ),
    "table name twice": "Two columns are called {name}. Rename one.",
    "table too large": (
        "The file has {size} MB; up to {most} MB come through the page. Start deltaprop studio "
        "FILE with it."
    ),
    "no column left": "No column is left to learn from. Take one in again.",
    "no column says anything": "No column holds anything to learn from.",
    "too many inputs": "The columns become {n} inputs; it takes up to {most}. Leave some out.",
    "no such target": "{name} has no column {target}.",
    "target cannot be": "The column {target} cannot be a target here.",
    "target empty": "No cell of {target} has a value.",
    "target of words": "{target} holds words: it asks for classes.",
    "target of names": (
        "{target} holds {n} different words, most of them once: nothing can be learnt of the "
        "others. Choose another target."
    ),
    "target constant": "{target} is the same in all rows: there is nothing to learn.",
    "too many classes": (
        "{target} has {n} classes; up to {most} are shown. Ask for numbers, or choose another "
        "target."
    ),
}
