// Package cwl makes processes of users' own application packages: documents of the Common Workflow Language, run by cwltool in a sandbox.
//
//	document ──Parse──▶ Package: id, inputs and outputs as chains know them ──Chain──▶ chains.Chain
//	                                                                                       │ Run, in the job's child process
//	            ┌── no network, no files but the inputs, one user without rights ──────────▼──┐
//	 inputs ───▶│  cwltool: the document's tools and workflows, within memory, processes, disk │───▶ files and items in the job's folder
//	            └─────────────────────────────────────────────────────────────────────────────┘
//
// The promise: nothing that a document says reaches a file, a process or an address that the job was not given, and what is beyond the
// job's limits ends. A document is whole in itself: it may refer to its own parts and to nothing else. Container images are not run: a
// DockerRequirement may stand under hints, for others.
//
// Products go in as directories with a STAC catalog.json and come out as such (OGC 20-089r1, Best Practice for Earth Observation
// Application Package, sections 7.5 and 8). The sandbox is bubblewrap's, with a control group where this process may make one.
package cwl
