# Writes austen.txt.xz, Jane Austen's six novels with a paragraph a line: Rscript make_text.R
novels <- c("sensesensibility", "prideprejudice", "mansfieldpark", "emma", "northangerabbey", "persuasion")
paragraphs <- unlist(lapply(novels, function(novel) {
  lines <- trimws(getExportedValue("janeaustenr", novel))
  lines <- lines[cumsum(lines == "A NOTE ON THE TEXT") == 0] # a modern editor's
  text <- trimws(gsub(" +", " ", tapply(lines, cumsum(lines == ""), paste, collapse = " ")))
  not_hers <- "^(Chapter [0-9]+|[Bb]y( Jane Austen)?|Jane Austen.*|Persuasion|Finis|[(*[].*|[^a-z]*)$"
  text[!grepl(not_hers, text)]
}))
file <- xzfile("austen.txt.xz", "wb", compression = -9)
writeLines(paragraphs, file)
close(file)
