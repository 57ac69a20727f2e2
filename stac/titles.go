package stac

// Text returns one of the titles that Swath itself gives, in the language of the answer.
func (l Links) Text(english string) string {
	if text, ok := titles[l.Language][english]; ok {
		return text
	}
	return english
}

// TitleLanguages are the languages of those titles; DefaultLanguage is the first.
var TitleLanguages = []string{DefaultLanguage, "fr"}

// titles are those texts by language.
var titles = map[string]map[string]string{"fr": {
	"Earth observation products: search them, download them by range, draw them as map tiles.": "Produits d'observation de la Terre : à chercher, à télécharger par plages d'octets, à dessiner en tuiles de carte.",

	"The catalog":                                 "Le catalogue",
	"This catalog":                                "Ce catalogue",
	"The map":                                     "La carte",
	"The parts of standards that are obeyed":      "Les parties de normes qui sont suivies",
	"The API, for programs":                       "L'API, pour les programmes",
	"The API, for people":                         "L'API, pour les lecteurs",
	"Collections":                                 "Collections",
	"Collections as a page":                       "Les collections en une page",
	"Search":                                      "Recherche",
	"What items can be searched by":               "Ce par quoi chercher des items",
	"What can be counted":                         "Ce qui peut être compté",
	"What left the catalog":                       "Ce qui a quitté le catalogue",
	"Counts of a search":                          "Les comptes d'une recherche",
	"Tile matrix sets":                            "Pyramides de tuiles",
	"Map tiles of all items":                      "Tuiles de carte de tous les items",
	"What can be computed here":                   "Ce qui peut être calculé ici",
	"One's jobs":                                  "Ses propres tâches",
	"The children of this catalog":                "Les enfants de ce catalogue",
	"The children of the root":                    "Les enfants de la racine",
	"All items, by mission, level, year and tile": "Tous les items, par mission, niveau, année et tuile",
	"This collection":                             "Cette collection",
	"Its items":                                   "Ses items",
	"What its items can be searched by":           "Ce par quoi chercher ses items",
	"Counts of its items":                         "Les comptes de ses items",
	"Its items, by year and place":                "Ses items, par année et lieu",
	"Map tiles of its items":                      "Tuiles de carte de ses items",
	"This collection as a page":                   "Cette collection en une page",
	"Next page":                                   "Page suivante",
}}
