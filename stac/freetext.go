package stac

// TextQuery is a free-text search (STAC API free-text, basic and advanced): a tree of words, phrases, and, or and not.
type TextQuery interface{ isTextQuery() }

type (
	// Words is a phrase: its words in this order, folded (lower case, without accents). A single word is a phrase of one.
	Words []string
	// AllOf is true when all of its arguments are, AnyOf when one is, NoneOf when its argument is not.
	AllOf  []TextQuery
	AnyOf  []TextQuery
	NoneOf struct{ Arg TextQuery }
)

func (Words) isTextQuery()  {}
func (AllOf) isTextQuery()  {}
func (AnyOf) isTextQuery()  {}
func (NoneOf) isTextQuery() {}
