// Package all is the one list of chains: what is not here does not run.
package all

import (
	"swath/chains"
	"swath/chains/echo"
	"swath/chains/s1ortho"
	"swath/chains/s1tiling"
)

// Chains returns every chain, by id.
func Chains() []chains.Chain {
	return []chains.Chain{
		echo.Chain(),
		s1ortho.Chain(),
		s1tiling.Chain(),
	}
}

// Chain returns the chain of this id.
func Chain(id string) (chains.Chain, bool) {
	for _, c := range Chains() {
		if c.ID == id {
			return c, true
		}
	}
	return chains.Chain{}, false
}
