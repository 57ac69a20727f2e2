package ingest

import (
	"swath/eo"
	"swath/fault"
	"swath/sentinel/safe"
)

// planSAFE makes an item of a Sentinel product, by the mission that its name tells.
func planSAFE(location string) (plan, func(), error) {
	product, err := safe.Open(location)
	if err != nil {
		return plan{}, nil, err
	}
	p, err := safePlan(product)
	if err != nil {
		product.Close()
		return plan{}, nil, err
	}
	return p, func() { product.Close() }, nil
}

func safePlan(product *safe.Product) (plan, error) {
	mission, err := eo.MissionOf(product.Name)
	if err != nil {
		return plan{}, fault.Wrap(fault.Invalid, err, "%s: a product of an unknown mission", product.Path)
	}
	switch mission {
	case eo.Sentinel1:
		return sentinel1Plan(product)
	case eo.Sentinel2:
		return sentinel2Plan(product)
	}
	return plan{}, fault.New(fault.Invalid, "%s: products of mission %s are not read", product.Path, mission)
}
