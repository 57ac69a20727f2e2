package safe

// manifestXML is the part of manifest.safe that is read; Sentinel-1 and Sentinel-2 differ in what they fill in.
type manifestXML struct {
	Family     string `xml:"metadataSection>metadataObject>metadataWrap>xmlData>platform>familyName"`
	Number     string `xml:"metadataSection>metadataObject>metadataWrap>xmlData>platform>number"`
	Instrument struct {
		Abbreviation string `xml:"abbreviation,attr"`
	} `xml:"metadataSection>metadataObject>metadataWrap>xmlData>platform>instrument>familyName"`
	Mode   string   `xml:"metadataSection>metadataObject>metadataWrap>xmlData>platform>instrument>extension>instrumentMode>mode"`
	Swaths []string `xml:"metadataSection>metadataObject>metadataWrap>xmlData>platform>instrument>extension>instrumentMode>swath"`

	Start string `xml:"metadataSection>metadataObject>metadataWrap>xmlData>acquisitionPeriod>startTime"`
	Stop  string `xml:"metadataSection>metadataObject>metadataWrap>xmlData>acquisitionPeriod>stopTime"`

	Orbits         []orbitXML `xml:"metadataSection>metadataObject>metadataWrap>xmlData>orbitReference>orbitNumber"`
	RelativeOrbits []orbitXML `xml:"metadataSection>metadataObject>metadataWrap>xmlData>orbitReference>relativeOrbitNumber"`
	Cycle          string     `xml:"metadataSection>metadataObject>metadataWrap>xmlData>orbitReference>cycleNumber"`
	Pass           string     `xml:"metadataSection>metadataObject>metadataWrap>xmlData>orbitReference>extension>orbitProperties>pass"`
	AscendingNode  string     `xml:"metadataSection>metadataObject>metadataWrap>xmlData>orbitReference>extension>orbitProperties>ascendingNodeTime"`

	Processing struct {
		Start    string `xml:"start,attr"`
		Facility struct {
			Name     string `xml:"name,attr"`
			Software struct {
				Name    string `xml:"name,attr"`
				Version string `xml:"version,attr"`
			} `xml:"software"`
		} `xml:"facility"`
	} `xml:"metadataSection>metadataObject>metadataWrap>xmlData>processing"`

	Polarisations []string `xml:"metadataSection>metadataObject>metadataWrap>xmlData>standAloneProductInformation>transmitterReceiverPolarisation"`
	ProductType   string   `xml:"metadataSection>metadataObject>metadataWrap>xmlData>standAloneProductInformation>productType"`
	ProductClass  string   `xml:"metadataSection>metadataObject>metadataWrap>xmlData>standAloneProductInformation>productClass"`
	Composition   string   `xml:"metadataSection>metadataObject>metadataWrap>xmlData>standAloneProductInformation>productComposition"`
	Timeliness    string   `xml:"metadataSection>metadataObject>metadataWrap>xmlData>standAloneProductInformation>productTimelinessCategory"`
	DataTake      string   `xml:"metadataSection>metadataObject>metadataWrap>xmlData>standAloneProductInformation>missionDataTakeID"`
	Slice         string   `xml:"metadataSection>metadataObject>metadataWrap>xmlData>standAloneProductInformation>sliceNumber"`
	Slices        string   `xml:"metadataSection>metadataObject>metadataWrap>xmlData>standAloneProductInformation>totalSlices"`

	FramePrints []string `xml:"metadataSection>metadataObject>metadataWrap>xmlData>frameSet>frame>footPrint>coordinates"` // Sentinel-1
	Footprints  []string `xml:"metadataSection>metadataObject>metadataWrap>xmlData>frameSet>footPrint>coordinates"`       // Sentinel-2

	Objects []dataObjectXML `xml:"dataObjectSection>dataObject"`
}

type orbitXML struct {
	Type      string `xml:"type,attr"`
	Direction string `xml:"groundTrackDirection,attr"`
	Value     string `xml:",chardata"`
}

type dataObjectXML struct {
	ID     string `xml:"ID,attr"`
	Schema string `xml:"repID,attr"`
	Stream struct {
		MimeType string `xml:"mimeType,attr"`
		Size     string `xml:"size,attr"`
		Location struct {
			Href string `xml:"href,attr"`
		} `xml:"fileLocation"`
		Checksum struct {
			Name string `xml:"checksumName,attr"`
			Sum  string `xml:",chardata"`
		} `xml:"checksum"`
	} `xml:"byteStream"`
}
