"""How good a pack is: error rates measured on folders of pictures, the report about them, the calibration from them."""
