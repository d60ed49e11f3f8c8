//! What an image tells about its kernels without a driver: the entries of PTX, the sections of a cubin.

/// The first bytes of a cubin, which is an ELF file.
pub(crate) const ELF: &[u8] = b"\x7fELF";

/// The kernels of PTX: the name of each, and the sizes of its parameters where they are understood.
pub(crate) fn kernels_of_ptx(text: &str) -> Vec<(String, Option<Vec<usize>>)> {
    let text = without_comments(text);
    let mut kernels = Vec::new();
    for after in text.split(".entry").skip(1) {
        let name: String = after.trim_start().chars().take_while(|letter| is_name(*letter)).collect();
        // A declaration may have no parameters, not even parentheses.
        let head = after.split('{').next().unwrap_or_default();
        let list = head.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(list, _)| list);
        let sizes =
            list.unwrap_or_default().split(',').filter(|one| one.contains(".param")).map(size_of_parameter);
        if !name.is_empty() {
            kernels.push((name, sizes.collect()));
        }
    }
    kernels
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$' | '%')
}

fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(start) = rest.find('/') {
        let (before, comment) = rest.split_at(start);
        kept.push_str(before);
        rest = if comment.starts_with("//") {
            comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or_default()
        } else if comment.starts_with("/*") {
            kept.push(' ');
            comment.find("*/").and_then(|end| comment.get(end + 2..)).unwrap_or_default()
        } else {
            kept.push('/');
            comment.get(1..).unwrap_or_default()
        };
    }
    kept.push_str(rest);
    kept
}

/// `.param .align 8 .b8 name[24]` has 24 bytes, `.param .u64 .ptr .global .align 16 name` has 8. Nothing if it is not
/// understood.
fn size_of_parameter(parameter: &str) -> Option<usize> {
    let bits = parameter.split_whitespace().filter_map(|word| word.strip_prefix('.')).find_map(|word| {
        let digits = word.strip_prefix(['b', 'u', 's', 'f'])?;
        digits.parse::<usize>().ok()
    })?;
    let count = match parameter.split_once('[') {
        None => 1,
        Some((_, rest)) => rest.split_once(']')?.0.trim().parse().ok()?,
    };
    Some(bits / 8 * count)
}

/// The first bytes of several images in one.
const FAT: &[u8] = &[0x50, 0xed, 0x55, 0xba];

/// Whether a binary image is as long as it says: the driver, which is not told a length, would read on.
pub(crate) fn is_whole(image: &[u8]) -> bool {
    if image.starts_with(ELF) {
        is_whole_elf(image).is_some()
    } else if image.starts_with(FAT) {
        // A header with its own length at 6 and that of what follows at 8.
        let (Some(header), Some(rest)) = (number(image, 6, 2), number(image, 8, 8)) else { return false };
        header.checked_add(rest).is_some_and(|length| length <= image.len())
    } else {
        false
    }
}

fn is_whole_elf(image: &[u8]) -> Option<()> {
    /// A section that takes no place in the file.
    const NO_BITS: usize = 8;
    // Of the table of program headers (place at 0x20, size at 0x36, number at 0x38) and that of section headers.
    let table = |place, size, count| {
        let (place, size, count) =
            (number(image, place, 8)?, number(image, size, 2)?, number(image, count, 2)?);
        image.get(place..place.checked_add(size.checked_mul(count)?)?)?;
        Some((place, size, count))
    };
    table(0x20, 0x36, 0x38)?;
    let (table, size, count) = table(0x28, 0x3a, 0x3c)?;
    for index in 0..count {
        let section = table + index * size;
        if number(image, section + 4, 4)? != NO_BITS {
            let (place, bytes) = (number(image, section + 0x18, 8)?, number(image, section + 0x20, 8)?);
            image.get(place..place.checked_add(bytes)?)?;
        }
    }
    Some(())
}

/// A little-endian number of so many bytes.
fn number(image: &[u8], place: usize, bytes: usize) -> Option<usize> {
    let bytes = image.get(place..place.checked_add(bytes)?)?;
    let value = bytes.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    usize::try_from(value).ok()
}

/// The kernels of a cubin: each has its code in a section `.text.` and its name.
pub(crate) fn kernels_of_cubin(image: &[u8]) -> Vec<String> {
    names_of_sections(image).unwrap_or_default()
}

/// After the ELF64 specification: the header has the place of the section headers at 0x28, their size, number, and the
/// number of that of the names at 0x3a; a section header has its name's place at 0, its content's place and size at 0x18.
fn names_of_sections(image: &[u8]) -> Option<Vec<String>> {
    let number = |place: usize, bytes: usize| number(image, place, bytes);
    let (table, size, count, names) =
        (number(0x28, 8)?, number(0x3a, 2)?, number(0x3c, 2)?, number(0x3e, 2)?);
    let header = |index: usize| table.checked_add(index.checked_mul(size)?);
    let names = header(names)?;
    let (place, bytes) = (number(names.checked_add(0x18)?, 8)?, number(names.checked_add(0x20)?, 8)?);
    let names = image.get(place..place.checked_add(bytes)?)?;
    let mut kernels = Vec::new();
    for index in 0..count {
        let rest = names.get(number(header(index)?, 4)?..)?;
        let name = rest.split(|byte| *byte == 0).next()?;
        if let Some(kernel) = name.strip_prefix(b".text.") {
            kernels.push(String::from_utf8_lossy(kernel).into_owned());
        }
    }
    Some(kernels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_their_parameters() {
        let text = "
.version 8.0 // .entry not_this(.param .u64 a)
/* .entry nor_this() */
.visible .entry first(
    .param .u64 .ptr .global .align 16 first_param_0,
    .param .f32 first_param_1, .param .align 8 .b8 first_param_2[24]
)
.maxntid 256, 1, 1
{ add.s32 %r1, %r2, 3 / 4; }
.entry second() { ret; }
.entry third { ret; }
.visible .func (.param .b32 out) helper(.param .u64 a) { ret; }
.entry strange(.param .texref a) { ret; }";
        let expected = [
            ("first", Some(vec![8, 4, 24])),
            ("second", Some(vec![])),
            ("third", Some(vec![])),
            ("strange", None),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(name, sizes)| (name.to_owned(), sizes)).collect();
        assert_eq!(kernels_of_ptx(text), expected);
    }

    #[test]
    fn several_images_in_one() {
        let mut image = [FAT, &[1, 0, 16, 0]].concat();
        image.extend_from_slice(&8_u64.to_le_bytes());
        assert!(!is_whole(&image));
        image.extend_from_slice(&[0; 8]);
        assert!(is_whole(&image) && !is_whole(&image[..23]));
        assert!(!is_whole(b"anything else"));
    }

    #[test]
    fn sections_of_an_elf_file() {
        let mut image = vec![0; 0x40];
        image[..4].copy_from_slice(ELF);
        let names = b"\0.text.softmax\0.strtab\0";
        image.extend_from_slice(names);
        let table = image.len();
        image[0x28..0x30].copy_from_slice(&(table as u64).to_le_bytes());
        for (place, value) in [(0x3a, 64_u16), (0x3c, 2), (0x3e, 1)] {
            image[place..place + 2].copy_from_slice(&value.to_le_bytes());
        }
        image.resize(table + 128, 0);
        image[table] = 1;
        image[table + 64] = 15;
        image[table + 64 + 0x18..table + 64 + 0x20].copy_from_slice(&0x40_u64.to_le_bytes());
        image[table + 64 + 0x20..table + 64 + 0x28].copy_from_slice(&(names.len() as u64).to_le_bytes());
        assert_eq!(kernels_of_cubin(&image), ["softmax"]);
        assert!(is_whole(&image));
        for length in 0..image.len() {
            kernels_of_cubin(&image[..length]);
            assert!(!is_whole(&image[..length]));
        }
    }
}
