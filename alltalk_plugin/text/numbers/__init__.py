"""Numbers, amounts and units in words, for engines that cannot read them."""
