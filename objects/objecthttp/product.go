package objecthttp

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/objects"
	"swath/objects/parcel"
	"swath/stac"
)

const (
	mostParts = 2000 // files of a zip
	openAtOne = 8    // files that are opened at a time
)

// product serves GET and HEAD /collections/{collection}/items/{item}/product: the original as its agency packed it, where it is held, and
// else all files of the item as one zip.
func (a API) product(c *fiber.Ctx) error {
	it, err := a.Catalog.Item(c.UserContext(), c.Params("collection"), c.Params("item"))
	if err != nil {
		return err
	}
	all, err := contentsOf(it)
	if err != nil {
		return err
	}
	for _, f := range all.files {
		if f.asset == stac.ProductAsset && (strings.HasPrefix(f.kind, "application/zip") || strings.HasSuffix(f.name, ".zip")) {
			return a.Send(c, it.Collection, it.ID, f.asset)
		}
	}
	if len(all.files) == 0 {
		return fault.New(fault.NotFound, "no file of item %q is kept here", it.ID)
	} else if len(all.files) > mostParts {
		return fault.New(fault.TooLarge, "item %q has more than %d files: fetch them one by one", it.ID, mostParts)
	}
	return a.sendZip(c, all)
}

// sendZip answers with the files of an item as one.
func (a API) sendZip(c *fiber.Ctx, all contents) error {
	if c.Method() == fiber.MethodGet {
		c.SetUserContext(stac.WithDownload(c.UserContext(), stac.Download{Collection: all.collection, Platform: all.platform}))
	}
	files, away, err := a.openAll(c.UserContext(), all)
	if err != nil {
		return err
	}
	if len(away) > 0 {
		return errors.Join(a.cold(c, all.collection, all.id, away), closeAll(files))
	}
	z, err := parcel.New(c.UserContext(), all.id+".zip", files, all.at, a.CRC32)
	if err != nil {
		return errors.Join(err, closeAll(files))
	}
	return a.begin(c, z, a.noted(c, Asset{FileName: z.Info().Key}, all.collection, all.id, ""))
}

// openAll opens all files, or says which of them are in the archive: nothing is found to be missing halfway.
func (a API) openAll(ctx context.Context, all contents) (files []parcel.File, away []file, err error) {
	opened, failed := make([]objects.Object, len(all.files)), make([]error, len(all.files))
	var group sync.WaitGroup
	places := make(chan struct{}, openAtOne)
	for i, f := range all.files {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			opened[i], failed[i] = a.Objects.Open(ctx, f.object)
		})
	}
	group.Wait()
	folder := strings.NewReplacer("/", "_", `\`, "_").Replace(all.id) + "/"
	for i, f := range all.files {
		switch {
		case failed[i] == nil:
			files = append(files, parcel.File{Name: folder + f.name, Object: opened[i]})
		case fault.Is(failed[i], fault.Offline) && a.Desk != nil:
			away = append(away, f)
		default:
			err = errors.Join(err, failed[i])
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, closeAll(files))
	}
	return files, away, nil
}

func closeAll(files []parcel.File) (err error) {
	for _, f := range files {
		err = errors.Join(err, f.Object.Close())
	}
	return err
}
