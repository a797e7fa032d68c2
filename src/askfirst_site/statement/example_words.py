"""Words of the example campaign: names, works and houses that do not exist."""

from __future__ import annotations

__all__ = [
    "ADDRESSEES",
    "CONSENT",
    "CONTEXT",
    "COUNTRIES",
    "FIRST_NAMES",
    "LAST_NAMES",
    "NOTABLES",
    "ORGANISATIONS",
    "ROLES",
    "SENTENCE",
    "TITLE",
    "UPDATES",
]

SENTENCE = {
    "en": "Generative AI may learn from creative work only when its maker has said yes, on terms the maker has set.",
    "de": "Generative KI darf nur dann aus schöpferischen Werken lernen, wenn die Menschen dahinter Ja gesagt haben,"
    " zu Bedingungen, die sie selbst bestimmen.",
    "nl": "Generatieve AI mag alleen van creatief werk leren als de maker ja heeft gezegd, op voorwaarden die de maker"
    " zelf stelt.",
}
TITLE = {"en": "Ask first", "de": "Erst fragen", "nl": "Vraag het eerst"}
CONSENT = {
    "en": "I sign this statement. My signature is kept, counted and shown as I have chosen, until I withdraw it.",
    "de": "Ich unterzeichne diese Erklärung. Meine Unterschrift wird gespeichert, gezählt und so gezeigt, wie ich es"
    " gewählt habe, bis ich sie zurückziehe.",
    "nl": "Ik onderteken deze verklaring. Mijn handtekening wordt bewaard, geteld en getoond zoals ik heb gekozen,"
    " totdat ik haar intrek.",
}
CONTEXT = {
    "en": "Books, songs, pictures, films and games are made by people. Programs that write, sing and draw have learned"
    " from them, mostly without anybody having been asked.\n\nWe ask for something simple: **ask first**. Whoever wants"
    " to learn from our works can get a licence, as others do. Silence is not consent.",
    "de": "Bücher, Lieder, Bilder, Filme und Spiele werden von Menschen gemacht. Programme, die schreiben, singen und"
    " zeichnen, haben daraus gelernt, meist ohne dass jemand gefragt wurde.\n\nWir verlangen etwas Einfaches: **erst"
    " fragen**. Wer aus unseren Werken lernen will, kann eine Lizenz bekommen, wie andere auch. Schweigen ist keine"
    " Zustimmung.",
    "nl": "Boeken, liedjes, beelden, films en spellen worden door mensen gemaakt. Programma’s die schrijven, zingen en"
    " tekenen hebben ervan geleerd, meestal zonder dat iemand iets is gevraagd.\n\nWe vragen iets eenvoudigs: **vraag"
    " het eerst**. Wie van ons werk wil leren, kan een licentie krijgen, zoals anderen. Zwijgen is geen toestemming.",
}

NOTABLES = [
    ("Isolde Quillfeather", "novelist, “The Salt Archive”", "literature", "GB", "en"),
    ("Joris Zwaluwbos", "singer and songwriter", "music", "NL", "nl"),
    ("Henrike Lindenklang", "composer, “Nine Rooms for Strings”", "music", "DE", "de"),
    ("Amadou Riverstone", "film director, “Harbour Light”", "film", "SN", "en"),
    ("Philomena Ashgrove", "actor", "theatre", "IE", "en"),
    ("Casimir Wolkenstieg", "illustrator, “The Bear Who Counted”", "visual-art", "AT", "de"),
    ("Noor Dageraadt", "photographer", "photography", "BE", "nl"),
    ("Teodora Vellamar", "translator of poetry", "translation", "RO", "en"),
    ("Linnéa Frostviken", "game designer, “Small Lanterns”", "games", "SE", "en"),
    ("Bartholomew Inkwell-Oyelaran", "journalist", "journalism", "NG", "en"),
    ("Sanne Kersenbloem", "playwright", "theatre", "NL", "nl"),
    ("Ottokar Silbermond", "voice actor", "television", "DE", "de"),
]

FIRST_NAMES = [
    "Abel", "Adaeze", "Aino", "Alba", "Alida", "Amal", "Anneke", "Anselm", "Aurelia", "Bas", "Benedikt", "Birgit",
    "Bram", "Carlotta", "Chidi", "Clemens", "Dalia", "Daan", "Delphine", "Dorothea", "Eilidh", "Elif", "Emeka", "Esme",
    "Farah", "Femke", "Fergus", "Florian", "Freya", "Gijs", "Greta", "Hana", "Hedwig", "Imke", "Inés", "Ivo", "Jasper",
    "Jolanda", "Kaito", "Katinka", "Keziah", "Lale", "Leontien", "Lorenz", "Lucía", "Maaike", "Mads", "Marijn",
    "Matilda",
    "Mirjam", "Nadja", "Niamh", "Noa", "Oksana", "Olu", "Pelle", "Pia", "Quentin", "Ragnhild", "Renske", "Rhiannon",
    "Ruben", "Saskia", "Selma", "Sietske", "Sofía", "Sven", "Tamsin", "Teun", "Thandiwe", "Ulrike", "Veerle", "Viktor",
    "Wiebke", "Wout", "Xenia", "Yara", "Yusuf", "Zora", "Øyvind",
]  # fmt: skip
LAST_NAMES = [
    "Achterweide", "Ambervale", "Amselfeld", "Appelmoes", "Birkenhauch", "Blauwvinger", "Brambledown", "Brookhollow",
    "Cloverley", "Donnerblum", "Dovetail", "Eikenhart", "Emberlyn", "Fernwhistle", "Foxmere", "Garnspinner", "Glimworm",
    "Goldammer-Wiese", "Hagelkruis", "Harrowmint", "Heidefluit", "Hollunderstein", "Inkerman-Vale", "Juniperus",
    "Kamillenhof", "Kiezelsteen", "Klangwerk", "Kornblumer", "Larkenby", "Lavendelaar", "Lichtermeer", "Maanvis",
    "Marrowby", "Mistelzweig", "Moonpenny", "Morgentau", "Nachtegaelen", "Notenbos", "Oddfellow-Reyes", "Papierboot",
    "Pepperwell", "Pimpernel", "Quittenbaum", "Rabenlied", "Ravensong", "Regenboogh", "Rookwhistle", "Rosmarijn",
    "Saffronwalk", "Sandglas", "Schneeglock", "Silverthread", "Sterrenwacht", "Tamberlane", "Thistlewood-Okoro",
    "Tintenfass", "Uilenspiegelaar", "Underwillow", "Vlierbes", "Wagtail", "Waldkauzer", "Wiesengrund-Imani",
    "Windvaan",
    "Wintergreen", "Wolkenzug", "Yarrowfield", "Zilverdraad", "Zimtstern", "Zonnedauw",
]  # fmt: skip
ROLES = {
    "music": ["composer", "violinist", "drummer", "producer", "singer", "songwriter", "cellist", "choir leader"],
    "literature": ["novelist", "poet", "author of children’s books", "essayist", "crime writer", "storyteller"],
    "film": ["editor", "camera", "screenwriter", "documentary maker"],
    "theatre": ["actor", "stage designer", "puppeteer"],
    "television": ["scriptwriter", "voice actor"],
    "visual-art": ["painter", "illustrator", "sculptor", "printmaker", "comic artist"],
    "photography": ["photographer", "photojournalist"],
    "journalism": ["reporter", "critic", "radio maker"],
    "translation": ["literary translator", "subtitler"],
    "games": ["concept artist", "game writer"],
    "other": ["choreographer", "typeface designer"],
    "supporter": ["teacher", "librarian", "reader"],
}
COUNTRIES = [
    "NL",
    "NL",
    "NL",
    "NL",
    "DE",
    "DE",
    "DE",
    "DE",
    "GB",
    "GB",
    "GB",
    "BE",
    "BE",
    "AT",
    "CH",
    "IE",
    "FR",
    "ES",
    "IT",
    "SE",
    "DK",
    "NO",
    "PL",
    "PT",
    "US",
    "CA",
    "NG",
    "ZA",
    "IN",
    "JP",
    "AU",
    "BR",
]

ORGANISATIONS = [
    ("Guild of Lantern Writers", "guild of authors", "lanternwriters.example", "literature", "GB", True),
    ("Bond van Papieren Boten", "union of illustrators", "papierenboten.example", "visual-art", "NL", True),
    ("Verband der Klangwerkstätten", "association of music studios", "klangwerkstaetten.example", "music", "DE", True),
    ("Half Moon Press", "publisher", "halfmoonpress.example", "literature", "IE", True),
    ("Zonnedauw Theater", "theatre", "zonnedauw.example", "theatre", "BE", False),
    ("The Second Reel", "film cooperative", "secondreel.example", "film", "CA", True),
    ("Bureau for Careful Translation", "agency", "carefultranslation.example", "translation", "CH", False),
    ("Small Lanterns", "game studio", "smalllanterns.example", "games", "SE", True),
    ("Chorverein Morgentau", "choir", "chor-morgentau.example", "music", "AT", False),
    ("Fotocollectief Windvaan", "photographers", "windvaan.example", "photography", "NL", True),
    ("Riverside Radio Makers", "radio cooperative", "riversideradio.example", "journalism", "ZA", False),
    ("Society of Quiet Composers", "collecting society", "quietcomposers.example", "music", "GB", True),
]

ADDRESSEES = [
    (
        "Northlight Models",
        "Say which works your models learned from, and take licences for them.",
        19,
        [(6, "acknowledged", "“We have received your letter.”")],
    ),
    ("Parliament of Exampleland", "Make asking first the law.", 20, []),
    (
        "Polyphon AI",
        "Train on licensed music only.",
        18,
        [(3, "replied", "Invited us to talk."), (11, "committed", "Trains its next model on licensed music only.")],
    ),
    ("Kindred Pictures Generator", "Take out the works whose makers were not asked.", 12, []),
    (
        "Lettercase",
        "Pay the authors whose books you used.",
        16,
        [(9, "licensed", "Signed a collective licence with the Guild of Lantern Writers.")],
    ),
]

UPDATES = [
    (
        7,
        "en",
        "Polyphon AI will license its music",
        "After eleven days a **yes**: its next model learns from licensed music only.\n\nThank you for signing.",
    ),
    (
        7,
        "de",
        "Polyphon AI wird Musik lizenzieren",
        "Nach elf Tagen haben wir ein **Ja**: Das nächste Modell lernt nur aus lizenzierter Musik.\n\nDanke!",
    ),
    (
        7,
        "nl",
        "Polyphon AI gaat muziek licentiëren",
        "Na elf dagen is er een **ja**: het volgende model leert alleen van gelicentieerde muziek.\n\nDank je wel!",
    ),
    (
        2,
        "en",
        "412 signatures on paper",
        "The Paper Boat reading tour brought them. They have a line of their own.",
    ),
]
