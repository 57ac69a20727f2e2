package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"swath/compat"
	"swath/download"
	"swath/fault"
)

// A command line of CNES' peps_download.py (https://github.com/olivierhagolle/peps_download) is known by its -a, which that program asks
// for: then -o is an orbit, --json names a file, and the products' zips lie side by side in -w.

// pepsNames are the long names of peps_download.py by ours.
var pepsNames = map[string]string{"write_dir": "write-dir", "no_download": "dry-run", "start_date": "from", "end_date": "to", "product_type": "product-type",
	"sensor_mode": "sensor-mode", "cc": "max-cloud", "clouds": "max-cloud", "sat": "platform", "satellite": "platform"}

func pepsName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if ours, ok := pepsNames[name]; ok {
		name = ours
	}
	return pflag.NormalizedName(name)
}

// asPEPS reads a line in peps_download.py's words.
func (f *downloadFlags) asPEPS(flags *pflag.FlagSet, args []string) (err error) {
	f.peps, f.layout.Flat = true, true
	if flags.Changed("out") {
		if f.orbit, err = strconv.Atoi(f.folder); err != nil {
			return fault.New(fault.Invalid, "-o: with -a it is the number of an orbit, as peps_download.py has it; -w is the folder")
		}
		f.folder = "."
	}
	if len(args) > 1 || len(args) == 1 && !f.asJSON {
		return fault.New(fault.Invalid, "%q is no option", args)
	}
	if len(args) == 1 {
		f.found, f.asJSON = args[0], false
	}
	for name, usual := range map[string]string{"collection": "S2", "assets": "product"} {
		if !flags.Changed(name) {
			if err := flags.Set(name, usual); err != nil {
				return err
			}
		}
	}
	if strings.HasPrefix(strings.ToUpper(f.productType), "SPOT") && f.platform == "" { // -p SPOT4, of example 4
		f.platform, f.productType = "spot-"+strings.ToUpper(f.productType)[len("SPOT"):], ""
	}
	if f.collections[0] == "S2" { // until the products of one tile began
		last := compat.MultiTile.Format(time.DateOnly)
		if f.to == "" || f.to > last {
			f.to = last
		}
	}
	return nil
}

// pepsAccount reads the first line of a file: an address and a password.
func pepsAccount(path string) (a download.Account, err error) {
	file, err := os.Open(path)
	if err != nil {
		return a, fault.New(fault.Invalid, "--auth: %v", err)
	}
	defer file.Close()
	text, err := bufio.NewReader(io.LimitReader(file, 4096)).ReadString('\n')
	words := strings.Fields(text)
	if err != nil && err != io.EOF || len(words) != 2 {
		return a, fault.New(fault.Invalid, "--auth: the first line of %s is not an address and a password, with a space between them", path)
	}
	return download.Account{User: words[0], Password: words[1]}, nil
}

// members replaces the names that PEPS had for missions by collections of the API.
func members(ctx context.Context, c *download.Client, s *download.Search) error {
	family := false
	for _, name := range s.Collections {
		_, is := compat.Members(name, nil)
		family = family || is
	}
	if !family {
		return nil
	}
	there, err := c.Collections(ctx)
	if err != nil {
		return err
	}
	var all []string
	for _, name := range s.Collections {
		ids, is := compat.Members(name, there)
		if !is {
			ids = []string{name}
		}
		all = append(all, ids...)
	}
	if s.Collections = all; len(all) == 0 {
		return errNothing
	}
	return nil
}

// word is the place of a product as peps_download.py prints it.
func word(f download.File) string {
	if f.Cold {
		return "tape"
	}
	return "disk"
}

// printPEPS lists the products as peps_download.py does.
func printPEPS(out io.Writer, p *download.Plan) {
	for _, f := range p.Files {
		fmt.Fprintln(out, f.Item, word(f))
	}
	fmt.Fprintf(out, "%d  products to download\n", len(p.Files)-p.Have)
}
