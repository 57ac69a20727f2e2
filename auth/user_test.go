package auth

import (
	"context"
	"testing"

	"swath/fault"
)

func TestRoles(t *testing.T) {
	for r := Reader; r <= Admin; r++ {
		if got, err := ParseRole(r.String()); err != nil || got != r {
			t.Errorf("ParseRole(%q) = %v, %v", r, got, err)
		}
	}
	for _, name := range []string{"nobody", "", "Admin", "root"} {
		if _, err := ParseRole(name); !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseRole(%q) = %v", name, err)
		}
	}
}

func TestRequire(t *testing.T) {
	for name, tc := range map[string]struct {
		who  Principal
		role Role
		want fault.Kind
	}{
		"a stranger reads nothing that needs a role": {Principal{}, Reader, fault.Unauthenticated},
		"a reader does not process":                  {Principal{User: "u", Role: Reader}, Processor, fault.Forbidden},
		"an operator is no admin":                    {Principal{User: "u", Role: Operator}, Admin, fault.Forbidden},
	} {
		if err := tc.who.Require(tc.role); !fault.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for role := Nobody; role <= Admin; role++ {
		if err := (Principal{User: "u", Role: Admin}).Require(role); err != nil {
			t.Errorf("an admin may not do what a %v may: %v", role, err)
		}
	}
}

func TestPrincipalOfAContext(t *testing.T) {
	if p := From(context.Background()); p != (Principal{}) || p.Known() {
		t.Errorf("of an empty context: %+v", p)
	}
	want := Principal{User: "u1", Name: "ada", Role: Centre, Key: "k", Quotas: Quotas{Jobs: 3}}
	if got := From(With(context.Background(), want)); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
