package authhttp

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/fault"
)

// accounts serves GET /accounts: everybody's, for admins.
func (a API) accounts(c *fiber.Ctx) error {
	all, err := a.Keeper.Accounts(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"accounts": append([]auth.Account{}, all...)})
}

// changeAccount serves PATCH /accounts/{account}: what the body names is changed.
func (a API) changeAccount(c *fiber.Ctx) error {
	var asked struct {
		Role     auth.Role        `json:"role"`
		Disabled *bool            `json:"disabled"`
		Quotas   *json.RawMessage `json:"quotas"`
	}
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(&asked); err != nil {
		return fault.New(fault.Invalid, `the body is not {"role": one of %s, "disabled": true or false, "quotas": {…} or null}`, strings.Join(auth.Roles(), ", "))
	}
	var quotas *auth.Quotas
	if asked.Quotas != nil && string(*asked.Quotas) != "null" {
		d := json.NewDecoder(bytes.NewReader(*asked.Quotas))
		d.DisallowUnknownFields()
		if quotas = new(auth.Quotas); d.Decode(quotas) != nil || quotas.BytesADay < 0 || quotas.Downloads < 0 || quotas.StagedBytes < 0 || quotas.Jobs < 0 || quotas.UploadedBytes < 0 {
			return fault.New(fault.Invalid, "quotas has bytes_a_day, downloads, staged_bytes, jobs and uploaded_bytes, each a whole number of at least 0, which is no limit")
		}
	}
	changed, err := a.Keeper.ChangeAccount(c.UserContext(), auth.From(c.UserContext()), c.Params("account"), func(one *auth.Account) {
		if asked.Role != auth.Nobody {
			one.Role = asked.Role
		}
		if asked.Disabled != nil {
			one.Disabled = *asked.Disabled
		}
		if asked.Quotas != nil {
			one.Quotas = quotas
		}
	})
	if err != nil {
		return err
	}
	return c.JSON(changed)
}
