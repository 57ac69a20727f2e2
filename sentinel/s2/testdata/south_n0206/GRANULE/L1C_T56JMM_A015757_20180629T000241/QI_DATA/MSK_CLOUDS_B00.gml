<?xml version="1.0" encoding="UTF-8"?>
<eop:Mask xmlns:eop="http://www.opengis.net/eop/2.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:gml="http://www.opengis.net/gml/3.2" gml:id="S2A_OPER_MSK_CLOUDS_EPAE_20180629T012042_A015757_T56JMM_B00_MSIL1C">
  <gml:name>MSK_CLOUDS pixels mask from data-strip S2A_OPER_MSK_CLOUDS_EPAE_20180629T012042_A015757_T56JMM_B00_MSIL1C</gml:name>
  <eop:maskMembers/>
</eop:Mask>
