"""Key art for invented films: scenes painted with numpy, titles set in type; a title always gets the same picture."""
