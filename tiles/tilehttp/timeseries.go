package tilehttp

import (
	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/geo"
	"swath/httpkit"
	"swath/tiles"
)

// placeSeries serves what is counted of each item of a search around a place, GET /…/timeseries/point?lon=…&lat=….
func (a API) placeSeries(c *fiber.Ctx) error {
	values := queryOf(c)
	numbers := [3]float64{}
	for i, name := range []string{"lon", "lat", "radius"} {
		v, err := values.number(name)
		switch {
		case err != nil:
			return err
		case v != nil:
			numbers[i] = *v
		case i < 2:
			return fault.New(fault.Invalid, "say where with lon and lat, in degrees")
		}
	}
	zone, err := tiles.AroundPlace(numbers[0], numbers[1], numbers[2])
	if err != nil {
		return err
	}
	return a.timeSeries(c, zone, "lon", "lat", "radius")
}

// featureSeries serves the same of the GeoJSON feature of the body, POST /…/timeseries/polygon.
func (a API) featureSeries(c *fiber.Ctx) error {
	values := queryOf(c)
	coords, err := values.system("coord_crs", geo.WGS84)
	if err != nil {
		return err
	}
	system, err := values.system("dst_crs", 0)
	if err != nil {
		return err
	}
	size, err := values.size()
	if err != nil {
		return err
	}
	zone, err := tiles.InFeature(c.Body(), coords, system, size)
	if err != nil {
		return err
	}
	return a.timeSeries(c, zone, cropping...)
}

func (a API) timeSeries(c *fiber.Ctx, zone tiles.Zone, alsoKnown ...string) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	q, _, _, err := a.mosaicOf(c, append([]string{"f", "token"}, alsoKnown...)...)
	if err != nil {
		return err
	}
	q.Search.Token = queryOf(c).one("token")
	series, err := a.Renderer.TimeSeries(c.UserContext(), q, zone)
	if err != nil {
		return hint(q.Request, err)
	}
	if form == "csv" {
		return httpkit.Send(c, csvType, series.CSV())
	}
	return sendJSON(c, series)
}
