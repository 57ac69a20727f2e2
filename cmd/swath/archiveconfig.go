package main

import (
	"fmt"
	"path/filepath"
	"time"

	"swath/objects"
	"swath/objects/copies"
	"swath/objects/staging"
)

// ArchiveConfig is the cold storage behind the object store; without a type there is none.
type ArchiveConfig struct {
	Type      string        `yaml:"type"`       // s3, hsm or sim
	KeepDays  float64       `yaml:"keep_days"`  // a copy stays online after it was brought; 7
	BufferGiB float64       `yaml:"buffer_gib"` // of copies that are brought; 0: any
	LeastLife time.Duration `yaml:"least_life"` // online before an unexpired copy may go; 6h
	Batch     int           `yaml:"batch"`      // files that are asked for at a time; 200
	BatchWait time.Duration `yaml:"batch_wait"` // that a batch waits to be full; 30s
	Backoff   time.Duration `yaml:"backoff"`    // before a failed restore is tried again; 1m
	Longest   time.Duration `yaml:"longest"`    // that a restore may take; 48h
	Tier      string        `yaml:"tier"`       // of restores, in the archive's words: Standard, Bulk, Expedited
	Orders    string        `yaml:"orders"`     // who may order: everybody, or accounts that process
	Quota     ArchiveQuota  `yaml:"quota"`      // of each user, and of strangers together
	Policies  []Policy      `yaml:"policies"`   // what is archived by itself
	Notify    NotifyConfig  `yaml:"notify"`     // who is told when an order is complete

	S3 struct {
		StorageClass string `yaml:"storage_class"` // GLACIER or DEEP_ARCHIVE
	} `yaml:"s3"`
	HSM HSMConfig `yaml:"hsm"`
	Sim SimConfig `yaml:"sim"`
}

// HSMConfig is how a file system that moves files to tape is told what to do: programs with their arguments, which no shell reads. {paths}
// stands for many files, {path} in an argument for one.
type HSMConfig struct {
	Keep      []string      `yaml:"keep"`
	Release   []string      `yaml:"release"`
	Restore   []string      `yaml:"restore"`
	Cancel    []string      `yaml:"cancel"`
	Remove    []string      `yaml:"remove"`
	Status    []string      `yaml:"status"`    // prints a line for each file
	Offline   string        `yaml:"offline"`   // regular expression of the line of a file that is on tape alone
	Restoring string        `yaml:"restoring"` // of one that is on its way
	Lost      string        `yaml:"lost"`      // of one that is nowhere
	Where     string        `yaml:"where"`     // with the groups volume and position
	Timeout   time.Duration `yaml:"timeout"`   // of a command; 10m
}

// ArchiveQuota is what one user may have waiting; 0: any.
type ArchiveQuota struct {
	Files int     `yaml:"files"`
	GiB   float64 `yaml:"gib"`
}

// Policy archives the files of a collection's items some time after they were acquired.
type Policy struct {
	Collection string   `yaml:"collection"`
	AfterDays  float64  `yaml:"after_days"` // since the item's datetime
	Assets     []string `yaml:"assets"`     // keys or roles; empty: data
}

// SimConfig is a simulated tape library.
type SimConfig struct {
	Folder      string        `yaml:"folder"` // empty: tape in the data folder
	Seed        uint64        `yaml:"seed"`
	VolumeMiB   float64       `yaml:"volume_mib"`
	Drives      int           `yaml:"drives"`
	Mount       time.Duration `yaml:"mount"`
	Seek        time.Duration `yaml:"seek"`
	MiBPerS     float64       `yaml:"mib_per_s"`
	FailPercent int           `yaml:"fail_percent"`
}

// mistakes names what is wrong, with its key.
func (c ArchiveConfig) mistakes(onFolder bool) (wrong []string) {
	bad := func(key, format string, args ...any) {
		wrong = append(wrong, "archive."+key+": "+fmt.Sprintf(format, args...))
	}
	switch c.Type {
	case "", "sim":
	case "s3":
		if onFolder {
			bad("type", "is s3, and the objects are not in S3")
		}
	case "hsm":
		if !onFolder {
			bad("type", "is hsm, and the objects are in S3, not in a folder")
		}
		if len(c.HSM.Status) == 0 || len(c.HSM.Restore) == 0 || len(c.HSM.Release) == 0 || c.HSM.Offline == "" {
			bad("hsm", "needs status, restore, release and offline")
		}
	default:
		bad("type", "%q is none of s3, hsm, sim", c.Type)
	}
	if c.S3.StorageClass != "" && c.S3.StorageClass != "GLACIER" && c.S3.StorageClass != "DEEP_ARCHIVE" {
		bad("s3.storage_class", "%q is neither GLACIER nor DEEP_ARCHIVE", c.S3.StorageClass)
	}
	if c.Orders != "" && c.Orders != "everybody" && c.Orders != "accounts" {
		bad("orders", "%q is neither everybody nor accounts", c.Orders)
	}
	if c.KeepDays < 0 || c.BufferGiB < 0 || c.LeastLife < 0 || c.Batch < 0 || c.BatchWait < 0 || c.Backoff < 0 || c.Longest < 0 || c.Quota.Files < 0 || c.Quota.GiB < 0 {
		bad("keep_days", "and its neighbours can't be negative")
	}
	c.Notify.mistakes(bad)
	for i, p := range c.Policies {
		if p.Collection == "" {
			bad(fmt.Sprintf("policies[%d].collection", i), "is missing")
		}
		if p.AfterDays <= 0 {
			bad(fmt.Sprintf("policies[%d].after_days", i), "must be more than 0")
		}
	}
	if s := c.Sim; s.FailPercent < 0 || s.FailPercent > 100 || s.Drives < 0 || s.Mount < 0 || s.Seek < 0 || s.MiBPerS < 0 || s.VolumeMiB < 0 {
		bad("sim", "fail_percent is 0 to 100, and nothing can be negative")
	}
	return wrong
}

// keeper is how the keeper works.
func (c ArchiveConfig) keeper() staging.Config {
	return staging.Config{Keep: time.Duration(c.KeepDays * float64(24*time.Hour)), Tier: c.Tier, BufferBytes: int64(c.BufferGiB * (1 << 30)), LeastLife: c.LeastLife,
		Batch: c.Batch, BatchWait: c.BatchWait, Backoff: c.Backoff, Longest: c.Longest}
}

func (c ArchiveConfig) quota() copies.Quota {
	return copies.Quota{Files: c.Quota.Files, Bytes: int64(c.Quota.GiB * (1 << 30))}
}

// openArchive opens the archive behind a store; nil when there is none.
func openArchive(cfg Config, store objects.Store) (objects.Archive, error) {
	switch a := cfg.Archive; a.Type {
	case "s3":
		return objects.OpenGlacier(store, a.S3.StorageClass)
	case "hsm":
		h := a.HSM
		return objects.OpenHSM(filepath.Join(cfg.Data, "objects"), objects.HSMConfig{Keep: h.Keep, Release: h.Release, Restore: h.Restore, Cancel: h.Cancel, Remove: h.Remove,
			Status: h.Status, Offline: h.Offline, Restoring: h.Restoring, Lost: h.Lost, Where: h.Where, Timeout: h.Timeout})
	case "sim":
		folder := a.Sim.Folder
		if folder == "" {
			folder = filepath.Join(cfg.Data, "tape")
		}
		return objects.OpenTape(folder, store, objects.TapeConfig{Seed: a.Sim.Seed, VolumeBytes: int64(a.Sim.VolumeMiB * (1 << 20)), Drives: a.Sim.Drives, Mount: a.Sim.Mount,
			Seek: a.Sim.Seek, BytesPerS: a.Sim.MiBPerS * (1 << 20), FailPercent: a.Sim.FailPercent})
	}
	return nil, nil
}
