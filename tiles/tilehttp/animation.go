package tilehttp

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"swath/geo"
	"swath/render"
	"swath/stac"
	"swath/tiles"
)

// framesHeader tells how many frames an animation was made of, before those without valid pixels were left out.
const framesHeader = "Swath-Frames"

// usualFPS is the frames a second of an animation that says nothing.
const usualFPS = 2

// animation serves the items of a search one date after the other, GET /…/animation.gif|webp?bbox=….
func (a API) animation(c *fiber.Ctx) error {
	motion, err := render.ParseMotion(c.Params("format"))
	if err != nil {
		return err
	}
	values := queryOf(c)
	q := tiles.AnimationRequest{FPS: usualFPS}
	if q.MosaicRequest, _, _, err = a.mosaicOf(c, "bbox", "max_size", "width", "height", "dst_crs", "fps", "frame", "min_valid_percent"); err != nil {
		return err
	}
	if box := values.one("bbox"); box != "" {
		if q.Box, err = stac.ParseBBox(box); err != nil {
			return err
		}
	}
	if q.Size, err = values.size(); err != nil {
		return err
	}
	if q.System, err = values.system("dst_crs", geo.WebMercator); err != nil {
		return err
	}
	q.Per = values.one("frame")
	for name, to := range map[string]*float64{"fps": &q.FPS, "min_valid_percent": &q.MinValidPercent} {
		if v, err := values.number(name); err != nil {
			return err
		} else if v != nil {
			*to = *v
		}
	}
	movie, err := a.Renderer.Animation(c.UserContext(), q)
	if err != nil {
		return hint(q.Request, err)
	}
	n, limited := movie.Frames()
	c.Set(framesHeader, strconv.Itoa(n))
	if limited {
		c.Set(limitedHeader, strconv.Itoa(movie.Items()))
	}
	if a.notModified(c, movie.Collection(), movie.ETag(motion)) {
		return nil
	}
	body, err := movie.Draw(c.UserContext(), motion)
	return send(c, body, motion.ContentType(), err)
}
