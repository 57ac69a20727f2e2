package processes

import (
	"encoding/json"
	"time"

	"swath/fault"
)

// Status of a job, in OGC's words.
type Status string

// The states of a job. The last three are its ends.
const (
	Accepted   Status = "accepted"
	Running    Status = "running"
	Successful Status = "successful"
	Failed     Status = "failed"
	Dismissed  Status = "dismissed"
)

// Ended reports whether nothing more becomes of a job.
func (s Status) Ended() bool { return s == Successful || s == Failed || s == Dismissed }

// Request is what an execution asks. Inputs are in the forms of OGC API Processes: inline values, {"value":…,"mediaType":…},
// {"href":…,"type":…}, arrays for several. Products are {"item":"id","collection":"c"}, {"href": the address of an item of ours},
// {"search":{collections,bbox,datetime,filter,ids,limit}}, or the plain text of an item's id. Folders are names that the operator gave.
type Request struct {
	Inputs     map[string]json.RawMessage `json:"inputs"`
	Outputs    map[string]OutputAsked     `json:"outputs,omitempty"`  // empty: all
	Response   string                     `json:"response,omitempty"` // "raw" or "document"; empty: document
	Subscriber *Subscriber                `json:"subscriber,omitempty"`
	Priority   int                        `json:"priority,omitempty"` // 1 (first) to 4; roles bound it
	Uploads    map[string]*Upload         `json:"-"`                  // files that come along, by what stands for them in Inputs
}

// OutputAsked says how an output is wanted.
type OutputAsked struct {
	Format       json.RawMessage `json:"format,omitempty"`
	Transmission string          `json:"transmissionMode,omitempty"` // "value" or "reference"
}

// Subscriber is whom to tell how a job stands.
type Subscriber struct {
	SuccessURI    string `json:"successUri,omitempty"`
	InProgressURI string `json:"inProgressUri,omitempty"`
	FailedURI     string `json:"failedUri,omitempty"`
}

// Plan is what a request would cost, with its inputs resolved and pinned.
type Plan struct {
	Process, Version   string
	Items              []PinnedItem
	Bytes              int64 // that the inputs have
	StageBytes         int64 // of them on cold storage
	MemoryMiB, Minutes int   // that the run may take
}

// PinnedItem is a product as it was when a job was accepted.
type PinnedItem struct {
	Collection string       `json:"collection"`
	ID         string       `json:"id"`
	Updated    time.Time    `json:"updated"`
	Files      []PinnedFile `json:"files"`
}

// PinnedFile is an object that a run reads.
type PinnedFile struct {
	Asset    string `json:"asset,omitempty"`
	Object   string `json:"object"`             // key in objects
	Name     string `json:"name"`               // of the file that the run sees
	Checksum string `json:"checksum,omitempty"` // multihash, hexadecimal
	Media    string `json:"media,omitempty"`
	Bytes    int64  `json:"bytes"`
}

// Job is one execution, as people may see it.
type Job struct {
	ID, Process, Version string
	Owner                string // account; empty: strangers
	Status               Status
	Message              string // what goes on, or the public reason of a failure
	FailureKind          string // kind of the fault of a failed job, as fault.Kind names it
	Progress             int    // 0 to 100; never goes back
	Created, Updated     time.Time
	Started, Finished    *time.Time
	Expires              *time.Time // of the results
	Request              Request
	Subscription         string // that made it; or empty
	Attempts             int
	Bytes                int64 // of its inputs
}

// Result is one output of a successful job.
type Result struct {
	Name  string          `json:"name"`
	Media string          `json:"media,omitempty"` // of files; application/geo+json of items, application/json of plain values
	Value json.RawMessage `json:"value,omitempty"` // of plain values
	Many  bool            `json:"many,omitempty"`  // Parts holds several
	Parts []Part          `json:"parts,omitempty"` // of files and items
}

// Part is one file or item of a result.
type Part struct {
	Object     string `json:"object,omitempty"`     // of a file: key in objects
	Collection string `json:"collection,omitempty"` // of an item
	Item       string `json:"item,omitempty"`
	Name       string `json:"name,omitempty"` // of the file
	Bytes      int64  `json:"bytes,omitempty"`
	Checksum   string `json:"checksum,omitempty"` // of the file: multihash, hexadecimal
}

// JobFilter says which jobs to list. Empty fields don't filter.
type JobFilter struct {
	Processes              []string
	Statuses               []Status
	Since, Until           *time.Time // created
	MinSeconds, MaxSeconds float64    // of running; 0: any
	Subscription           string
	Limit                  int // 0 is 100
	Token                  string
}

// JobPage is some of the jobs, newest first.
type JobPage struct {
	Jobs []Job
	Next string // token of the next page; empty on the last
}

// ErrNotReady is the failure of asking for results that are not there yet.
var ErrNotReady = &fault.Error{Kind: fault.NotFound, Public: "the job has no results yet"}

// noJob is the failure of naming a job that is not there for the one who asks.
func noJob(id string) error { return fault.New(fault.NotFound, "there is no job %.60q", id) }

// failureOf returns the fault of a failed job.
func failureOf(j Job) error {
	for _, k := range fault.Kinds() {
		if k.String() == j.FailureKind {
			return &fault.Error{Kind: k, Public: j.Message}
		}
	}
	return &fault.Error{Kind: fault.Internal, Public: j.Message}
}
